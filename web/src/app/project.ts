/* Which project is looked at: 0 is all of them. Kept for the next visit. */
import { useQuery } from '@tanstack/react-query';
import { store, useStore } from '@/lib/store';
import { magpie } from './session';

const STORED = 'magpie.project';
export const project = store<number>(Number(localStorage.getItem(STORED) ?? 0) || 0);

export function chooseProject(id: number): void {
  localStorage.setItem(STORED, String(id));
  project.set(id);
}

export interface Project {
  id: number;
  name: string;
}

export function useProjects() {
  return useQuery({
    queryKey: ['projects'],
    queryFn: ({ signal }) =>
      magpie.json<{ projects: Project[] }>('GET', '/api/projects', { query: { limit: 200 }, signal }),
    select: (answer) => answer.projects,
  });
}

/** For queries: undefined is all. One that is gone counts as all. */
export function useProjectId(): number | undefined {
  const chosen = useStore(project);
  const { data } = useProjects();
  return chosen && (data === undefined || data.some((one) => one.id === chosen)) ? chosen : undefined;
}
