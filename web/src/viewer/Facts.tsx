import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import type { components } from '@magpie/client';
import { toastError } from '@/app/toasts';
import { magpie, mayWrite, useUser } from '@/app/session';
import { bytes, date, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { Chip } from '@/ui/Chip';
import { INPUT } from '@/ui/Field';
import { Thumb } from '@/grid/Picture';
import { useProjects } from '@/app/project';
import { Camera } from './Camera';
import { History } from './History';
import { Row } from './Row';
import { Versions } from './Versions';

export type Image = components['schemas']['Image'];

interface Change {
  title?: string;
  description?: string;
  add_tags?: string[];
  remove_tags?: string[];
}

/** Changes are shown at once, and taken back where the service refuses them. */
export function useChange(id: number) {
  const client = useQueryClient();
  const key = ['image', id];
  return useMutation({
    mutationFn: (body: Change) => magpie.json<Image>('PATCH', `/api/images/${id}`, { body }),
    onMutate: async (change) => {
      await client.cancelQueries({ queryKey: key });
      const before = client.getQueryData<Image>(key);
      if (before) {
        const tags = before.tags.filter((tag) => !change.remove_tags?.includes(tag));
        const { title = before.title, description = before.description } = change;
        client.setQueryData(key, {
          ...before,
          title,
          description,
          tags: [...new Set([...tags, ...(change.add_tags ?? [])])],
        });
      }
      return { before };
    },
    onError: (error, _, context) => {
      client.setQueryData(key, context?.before);
      toastError(error);
    },
    onSuccess: (image) => client.setQueryData(key, image),
  });
}

function Tags({ image }: { image: Image }) {
  const change = useChange(image.id);
  const may = mayWrite(useUser());
  const [text, setText] = useState('');
  return (
    <section>
      <h3 className="mb-1 font-medium">{t('viewer.tags')}</h3>
      <div className="flex flex-wrap gap-1">
        {image.tags.map((tag) => (
          <Chip
            key={tag}
            text={tag}
            {...(may ? { onRemove: () => change.mutate({ remove_tags: [tag] }) } : {})}
          />
        ))}
        {image.tags.length === 0 && !may && <span className="text-muted">{t('viewer.none')}</span>}
      </div>
      {may && (
        <form
          className="mt-2 flex gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            const tags = text
              .split(',')
              .map((tag) => tag.trim())
              .filter(Boolean);
            if (tags.length) change.mutate({ add_tags: tags });
            setText('');
          }}
        >
          <input
            aria-label={t('viewer.addTag')}
            placeholder={t('viewer.addTag')}
            value={text}
            onChange={(event) => setText(event.target.value)}
            className={INPUT}
          />
          <Button type="submit" icon={Plus} aria-label={t('viewer.add')} />
        </form>
      )}
    </section>
  );
}

function Words({ image }: { image: Image }) {
  const change = useChange(image.id);
  const may = mayWrite(useUser());
  if (!may)
    return image.title || image.description ? (
      <div>
        <p className="font-medium">{image.title}</p>
        <p>{image.description}</p>
      </div>
    ) : null;
  return (
    <div className="flex flex-col gap-2">
      <input
        key={`t${image.title}`}
        aria-label={t('viewer.title')}
        placeholder={t('viewer.title')}
        defaultValue={image.title}
        maxLength={512}
        onBlur={(event) => event.target.value !== image.title && change.mutate({ title: event.target.value })}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
        className={INPUT}
      />
      <textarea
        key={`d${image.description}`}
        aria-label={t('viewer.description')}
        placeholder={t('viewer.description')}
        defaultValue={image.description}
        rows={2}
        maxLength={8192}
        onBlur={(event) =>
          event.target.value !== image.description && change.mutate({ description: event.target.value })
        }
        className={INPUT + ' py-2'}
      />
    </div>
  );
}

function Neighbours({ id, onOpen }: { id: number; onOpen: (id: number) => void }) {
  const { data } = useQuery({
    queryKey: ['similar', id],
    queryFn: ({ signal }) =>
      magpie.json<components['schemas']['SearchAnswer']>('POST', '/api/search/similar', {
        body: { image_id: id, limit: 7 },
        signal,
      }),
  });
  const hits = data?.results.filter((hit) => hit.id !== id).slice(0, 6) ?? [];
  return (
    <section>
      <div className="mb-1 flex items-center justify-between">
        <h3 className="font-medium">{t('viewer.neighbours')}</h3>
        <Link to="/search" search={{ like: String(id) }} className="rounded-md text-accent underline">
          {t('viewer.similar')}
        </Link>
      </div>
      <div className="grid grid-cols-3 gap-1">
        {hits.map((hit) => (
          <button
            key={hit.id}
            type="button"
            title={t('viewer.score', { score: number(hit.score, { maximumFractionDigits: 2 }) })}
            onClick={() => onOpen(hit.id)}
            className="aspect-square overflow-hidden rounded-md"
          >
            <Thumb
              src={hit.preview_url}
              alt={hit.payload?.title || hit.payload?.name || ''}
              className="size-full"
            />
          </button>
        ))}
        {!data &&
          [1, 2, 3].map((i) => <div key={i} aria-hidden className="aspect-square rounded-md bg-sunken" />)}
      </div>
      {data && hits.length === 0 && <p className="text-muted">{t('viewer.alone')}</p>}
    </section>
  );
}

export function Facts({ image, onOpen }: { image: Image; onOpen: (id: number) => void }) {
  const { data: projects } = useProjects();
  const inside = projects?.find((one) => one.id === image.project_id)?.name;
  return (
    <div className="flex flex-col gap-5 p-4">
      <Words image={image} />
      <Tags image={image} />
      <section>
        <h3 className="mb-1 font-medium">{t('viewer.facts')}</h3>
        <dl>
          <Row name={t('viewer.name')}>{image.name}</Row>
          <Row name={t('viewer.size')}>
            {t('viewer.pixels', { width: image.width, height: image.height })}, {bytes(image.bytes)}
          </Row>
          <Row name={t('viewer.format')}>{image.format.toUpperCase()}</Row>
          <Row name={t('viewer.taken')}>{image.taken_at ? date(image.taken_at) : t('viewer.unknown')}</Row>
          <Row name={t('viewer.added')}>
            {image.created_at ? date(image.created_at) : t('viewer.unknown')}
          </Row>
          {inside && (
            <Row name={t('nav.project')}>
              <Link to={`/projects/${image.project_id}`} className="rounded-md underline">
                {inside}
              </Link>
            </Row>
          )}
          {image.issues.length > 0 && (
            <Row name={t('viewer.issues')}>{image.issues.map((issue) => t(`issue.${issue}`)).join(', ')}</Row>
          )}
        </dl>
        <details>
          <summary className="py-1 text-muted">{t('viewer.more')}</summary>
          <dl>
            <Row name={t('viewer.number')}>{image.id}</Row>
            <Row name={t('viewer.sharpness')}>
              {number(image.quality.sharpness, { maximumFractionDigits: 0 })}
            </Row>
            <Row name={t('viewer.brightness')}>
              {number(image.quality.brightness, { maximumFractionDigits: 1 })}
            </Row>
            <Row name={t('viewer.contrast')}>
              {number(image.quality.contrast, { maximumFractionDigits: 1 })}
            </Row>
            <Row name="SHA-256">
              <code className="text-xs break-all">{image.sha256}</code>
            </Row>
          </dl>
        </details>
      </section>
      <Camera id={image.id} />
      <History id={image.id} onOpen={onOpen} />
      <Versions id={image.id} project={image.project_id} />
      <Neighbours id={image.id} onOpen={onOpen} />
    </div>
  );
}
