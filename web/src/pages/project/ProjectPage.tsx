/* One project: what it holds, who shares in it, and how it is set up. */
import { Link, useParams, useNavigate } from '@tanstack/react-router';
import { Archive, Images } from 'lucide-react';
import { chooseProject } from '@/app/project';
import { useUser } from '@/app/session';
import { mayEdit, mayManage, useProject } from '@/lib/projects';
import { useUrl } from '@/lib/url';
import { t } from '@/text';
import { Page } from '@/ui/Page';
import { RoomyButton } from '@/ui/RoomyButton';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Assets } from './Assets';
import { Members } from './Members';
import { Settings } from './Settings';

type Tab = 'assets' | 'members' | 'settings';

export default function ProjectPage() {
  const { id }: { id?: string } = useParams({ strict: false });
  const [url, setUrl] = useUrl();
  const navigate = useNavigate();
  const user = useUser();
  const { data: project, error, refetch } = useProject(Number(id));
  const manages = project !== undefined && mayManage(user, project);
  const tabs = (['assets', 'members', 'settings'] as const).filter((one) => one !== 'settings' || manages);
  const tab: Tab = tabs.find((one) => one === url['tab']) ?? 'assets';
  return (
    <Page
      title={project?.name ?? t('work.projects.single')}
      actions={
        project && (
          <RoomyButton
            icon={Images}
            onClick={() => {
              chooseProject(project.id);
              void navigate({ to: '/library' });
            }}
          >
            {t('work.projects.pictures')}
          </RoomyButton>
        )
      }
    >
      <nav aria-label={t('work.path')} className="-mt-4">
        <Link to="/projects" className="text-accent underline">
          {t('work.projects.title')}
        </Link>
      </nav>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : !project ? (
        <Skeleton className="h-64" />
      ) : (
        <>
          {project.description && (
            <p className="-mt-2 max-w-3xl break-words whitespace-pre-line text-muted">
              {project.description}
            </p>
          )}
          {project.status === 'archived' && (
            <p className="flex items-center gap-2 rounded-md border border-line bg-sunken p-3">
              <Archive size={18} aria-hidden className="shrink-0" />
              <span>
                {t('work.project.archived')} {manages && t('work.project.archivedHint')}
              </span>
            </p>
          )}
          <div className="flex flex-wrap items-center justify-between gap-3">
            <Segments<Tab>
              label={t('work.project.tabs')}
              value={tab}
              options={tabs.map((value) => ({ value, text: t(`work.project.${value}`) }))}
              onChange={(next) => setUrl({ tab: next === 'assets' ? undefined : next })}
            />
            <p className="text-muted">
              {t('work.projects.assets', { n: project.assets })}
              {project.role && ` · ${t(`work.role.${project.role}`)}`}
            </p>
          </div>
          {tab === 'assets' && <Assets project={project} may={mayEdit(user, project)} />}
          {tab === 'members' && <Members project={project} may={manages && project.status === 'active'} />}
          {tab === 'settings' && <Settings key={project.id} project={project} />}
        </>
      )}
    </Page>
  );
}
