/* What somebody may do with products. This only hides what the service would refuse. */
import { useProjects } from '@/app/project';
import { mayWrite, useUser, type User } from '@/app/session';

export function mayReadLogs(user: User | null): boolean {
  return user !== null && (user.role === 'admin' || user.role === 'operator');
}

/** In a project, or in whichever new products go to. */
export function useMayEdit(project: number | undefined): boolean {
  const may = mayWrite(useUser());
  const { data } = useProjects();
  const one = data?.find(({ id }) => id === project) as { role?: string } | undefined;
  return may && one?.role !== 'viewer';
}
