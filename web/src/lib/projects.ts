/* Projects as their pages know them: who may do what in one, and changes that are seen at once. The service decides
 * by itself; this hides what it would refuse. */
import type { components } from '@magpie/client';
import { useQuery, type InfiniteData } from '@tanstack/react-query';
import { useProjects } from '@/app/project';
import { magpie, queries, useUser, type User } from '@/app/session';

export type Project = components['schemas']['Project'];
export interface ProjectPage {
  projects: Project[];
  next_cursor: string | null;
}
/** What it is asked to become. */
export type ProjectPatch = Partial<Pick<Project, 'name' | 'description' | 'config' | 'status'>>;

const isStaff = (user: User) => user.role === 'admin' || user.role === 'operator';

/** As its owner does: names, members, settings, archive. */
export function mayManage(user: User | null, project: Pick<Project, 'role'>): boolean {
  return user !== null && user.role !== 'guest' && (isStaff(user) || project.role === 'owner');
}

/** What it holds. What is archived can only be read. */
export function mayEdit(user: User | null, project: Pick<Project, 'role' | 'status'>): boolean {
  if (user === null || user.role === 'guest' || project.status !== 'active') return false;
  return isStaff(user) || project.role === 'owner' || project.role === 'editor';
}

/** Remove it with all that it holds. */
export function mayEmpty(user: User | null, project: Pick<Project, 'role'>): boolean {
  return user !== null && (user.role === 'admin' || (user.role !== 'guest' && project.role === 'owner'));
}

const LIST = ['projects', 'list'];
const keyOf = (id: number) => ['projects', 'one', id];
export const listKey = (status: string) => [...LIST, status];

export function useProject(id: number) {
  return useQuery({
    queryKey: keyOf(id),
    queryFn: ({ signal }) => magpie.json<Project>('GET', `/api/projects/${id}`, { signal }),
    enabled: id > 0,
  });
}

/** The name of a project by its number; a number where the name is not known. */
export function useProjectName(): (id: number) => string {
  const { data } = useProjects();
  return (id) => data?.find((one) => one.id === id)?.name ?? `#${id}`;
}

/** The name of a user where it may be known: one's own, and everybody's to those who may look users up. */
export function useUserName(id: number): string | undefined {
  const user = useUser();
  const mine = user?.id === id;
  const { data } = useQuery({
    queryKey: ['users', 'one', id],
    queryFn: ({ signal }) => magpie.json<User>('GET', `/api/users/${id}`, { signal }),
    enabled: id > 0 && !mine && user !== null && isStaff(user),
    staleTime: 10 * 60_000,
  });
  return mine ? user.username : data?.username;
}

function show(project: Project): void {
  queries.setQueryData(keyOf(project.id), project);
  queries.setQueriesData<InfiniteData<ProjectPage>>(
    { queryKey: LIST },
    (old) =>
      old && {
        ...old,
        pages: old.pages.map((page) => ({
          ...page,
          projects: page.projects.map((one) => (one.id === project.id ? project : one)),
        })),
      },
  );
}

/** Shown at once; as it was, where the service refuses. */
export async function changeProject(project: Project, patch: ProjectPatch): Promise<Project> {
  await queries.cancelQueries({ queryKey: ['projects'] });
  show({ ...project, ...patch });
  try {
    const now = await magpie.json<Project>('PATCH', `/api/projects/${project.id}`, { body: patch });
    show(now);
    return now;
  } catch (error) {
    show(project);
    throw error;
  } finally {
    void queries.invalidateQueries({ queryKey: ['projects'] });
  }
}
