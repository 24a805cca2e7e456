import { useNavigate, useParams } from '@tanstack/react-router';
import { t } from '@/text';
import { useTitle } from '@/ui/Page';
import { Viewer } from '@/viewer/Viewer';

/** A picture by its own address, without a list around it. */
export default function ImagePage() {
  const { id }: { id?: string } = useParams({ strict: false });
  const navigate = useNavigate();
  useTitle(t('viewer.label'));
  return (
    <>
      <h1 className="sr-only">{t('viewer.label')}</h1>
      <Viewer
        id={Number(id)}
        onClose={() => void navigate({ to: '/library' })}
        onOpen={(other) => void navigate({ to: `/images/${other}` })}
      />
    </>
  );
}
