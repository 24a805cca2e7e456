import { useQuery } from '@tanstack/react-query';
import { Check, Minus } from 'lucide-react';
import { magpie } from '@/app/session';
import { t, type TextKey } from '@/text';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import type { Role } from './people';

interface Answer {
  permissions: string[];
  roles: { role: Role; everything: boolean; permissions: string[] }[];
}

const WORDS: Record<string, TextKey> = {
  'assets.read': 'admin.roles.may.assetsRead',
  'assets.write': 'admin.roles.may.assetsWrite',
  'audit.read': 'admin.roles.may.auditRead',
  'jobs.read': 'admin.roles.may.jobsRead',
  'jobs.write': 'admin.roles.may.jobsWrite',
  'keys.write': 'admin.roles.may.keysWrite',
  'logs.read': 'admin.roles.may.logsRead',
  'models.read': 'admin.roles.may.modelsRead',
  'models.write': 'admin.roles.may.modelsWrite',
  'projects.read': 'admin.roles.may.projectsRead',
  'projects.write': 'admin.roles.may.projectsWrite',
  'settings.read': 'admin.roles.may.settingsRead',
  'users.read': 'admin.roles.may.usersRead',
  'users.write': 'admin.roles.may.usersWrite',
};

function Cell({ yes }: { yes: boolean }) {
  const Icon = yes ? Check : Minus;
  return (
    <td className="px-2 py-2 text-center max-sm:px-1">
      <Icon size={16} aria-hidden className={yes ? 'mx-auto text-ok' : 'mx-auto text-muted'} />
      <span className="sr-only">{yes ? t('admin.roles.yes') : t('admin.roles.no')}</span>
    </td>
  );
}

export function useRoles() {
  return useQuery({
    queryKey: ['roles'],
    queryFn: ({ signal }) => magpie.json<Answer>('GET', '/api/roles', { signal }),
    staleTime: Infinity,
  });
}

export function Roles() {
  const { data, error, refetch } = useRoles();
  if (error) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-80" />;
  return (
    <>
      <p className="max-w-prose text-muted">{t('admin.roles.text')}</p>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('admin.tab.roles')}>
        <table className="w-full max-w-3xl">
          <thead>
            <tr className="border-b border-line-strong text-left">
              <th scope="col" className="py-2 pr-2 font-medium">
                {t('admin.roles.permission')}
              </th>
              {data.roles.map(({ role }) => (
                <th
                  key={role}
                  scope="col"
                  className="px-2 py-2 text-center font-medium max-sm:px-1 max-sm:text-xs"
                >
                  {t(`nav.role.${role}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr className="border-b border-line">
              <th scope="row" className="py-2 pr-2 text-left font-normal">
                {t('admin.roles.everything')}
              </th>
              {data.roles.map(({ role, everything }) => (
                <Cell key={role} yes={everything} />
              ))}
            </tr>
            {[...data.permissions].sort().map((permission) => (
              <tr key={permission} className="border-b border-line">
                <th scope="row" className="py-2 pr-2 text-left font-normal">
                  {WORDS[permission] && <span className="block">{t(WORDS[permission])}</span>}
                  <code className="text-xs text-muted">{permission}</code>
                </th>
                {data.roles.map(({ role, permissions }) => (
                  <Cell key={role} yes={permissions.includes(permission)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
