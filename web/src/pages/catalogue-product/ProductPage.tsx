/* One product: read, written, removed; or a new one (/catalogue/new). What is not saved is not lost by leaving. */
import { MagpieError } from '@magpie/client';
import { useBlocker, useCanGoBack, useNavigate, useParams } from '@tanstack/react-router';
import { ChevronLeft, Lock, PackageX, Save, Trash2 } from 'lucide-react';
import { useRef, useState } from 'react';
import { useShortcuts } from '@/app/keys';
import { useProjectId } from '@/app/project';
import { magpie, queries } from '@/app/session';
import { toast, toastError } from '@/app/toasts';
import { useUrl } from '@/lib/url';
import { useMayEdit } from '@/pages/catalogue/may';
import {
  changed,
  remove,
  useFacets,
  useProduct,
  type Change,
  type Product,
} from '@/pages/catalogue/products';
import { follow, start } from '@/pages/catalogue/task';
import { Task } from '@/pages/catalogue/Task';
import { ago, date, t } from '@/text';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Empty } from '@/ui/Empty';
import { useTitle } from '@/ui/Page';
import { RoomyButton } from '@/ui/RoomyButton';
import { Skeleton } from '@/ui/Skeleton';
import { Trouble } from '@/ui/Trouble';
import { Viewer } from '@/viewer/Viewer';
import { changesOf, draftOf, isChanged, problemsOf, type Draft, type Problems } from './draft';
import { Facts } from './Facts';
import { Fields } from './Fields';
import { Picture } from './Picture';

const NO_FILTERS = { category: '', price_min: '', price_max: '', currency: '', has_picture: '' } as const;

async function sendPicture(id: number, file: File): Promise<Product> {
  const form = new FormData();
  form.append('file', file, file.name);
  const { data } = await magpie.api.POST('/products/{id}/image', {
    params: { path: { id } },
    body: form as never,
    bodySerializer: (whole: unknown) => whole as FormData,
  });
  return data as Product;
}

/** A field of the form that the service named: "price: it is not ...". */
function fieldOf(error: unknown): string {
  return error instanceof MagpieError ? (/^(\w+)(:| is | must )/.exec(error.detail)?.[1] ?? '') : '';
}

function Leaving({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  return (
    <Dialog title={t('catalogue.unsaved')} onClose={onStay}>
      <p className="mb-6">{t('catalogue.unsavedText')}</p>
      <div className="flex justify-end gap-2">
        <Button look="danger" onClick={onLeave}>
          {t('catalogue.leave')}
        </Button>
        <Button look="primary" autoFocus onClick={onStay}>
          {t('catalogue.stay')}
        </Button>
      </div>
    </Dialog>
  );
}

function useGuard(dirty: boolean, saved: React.RefObject<boolean>) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && !saved.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => dirty && !saved.current,
    withResolver: true,
  });
  return status === 'blocked' ? <Leaving onStay={reset} onLeave={proceed} /> : null;
}

function useWriting(product: Product | null, form: React.RefObject<HTMLFormElement | null>) {
  const navigate = useNavigate();
  const project = useProjectId();
  const [before, setBefore] = useState(() => draftOf(product));
  const [draft, setDraft] = useState<Draft>(before);
  const [problems, setProblems] = useState<Problems>({});
  const [trouble, setTrouble] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const saved = useRef(false);
  const dirty = isChanged(draft, before) || (product === null && file !== null);

  const told = (next: Product) => {
    queries.setQueryData(['product', next.id], next);
    changed();
  };
  const give = async (id: number, picture: File) => {
    setFile(picture);
    setBusy(true);
    try {
      told(await sendPicture(id, picture));
    } catch (error) {
      toastError(error);
    } finally {
      setFile(null);
      setBusy(false);
    }
  };
  const send = async () => {
    const body = changesOf(draft, before);
    if (product) return magpie.json<Change>('PATCH', `/products/${product.id}`, { body });
    const where = project === undefined ? {} : { project_id: project };
    return magpie.json<Change>('POST', '/products', { body: { ...body, ...where } });
  };
  const save = async () => {
    const found = problemsOf(draft, product === null);
    setProblems(found);
    setTrouble(null);
    if (Object.keys(found).length > 0) {
      // After it is drawn: the first that is wrong.
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
      return;
    }
    if (!dirty || busy) return;
    setBusy(true);
    try {
      const next = await send();
      told(next);
      if (next.job_id) follow(next.job_id);
      toast({ text: t('catalogue.saved') });
      if (product) {
        const now = draftOf(next);
        setBefore(now);
        setDraft(now);
      } else {
        saved.current = true;
        if (file) await sendPicture(next.id, file).then(told).catch(toastError);
        await navigate({ to: '/catalogue/$id', params: { id: String(next.id) }, replace: true });
      }
    } catch (error) {
      setTrouble(error);
      const name = fieldOf(error);
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus());
    } finally {
      setBusy(false);
    }
  };
  return {
    draft,
    problems,
    trouble,
    busy,
    file,
    dirty,
    guard: useGuard(dirty, saved),
    save,
    change: (patch: Partial<Draft>) => {
      setDraft((old) => ({ ...old, ...patch }));
      setProblems((old) => Object.fromEntries(Object.entries(old).filter(([name]) => !(name in patch))));
    },
    discard: () => {
      setDraft(before);
      setFile(null);
      setProblems({});
      setTrouble(null);
    },
    take: (picture: File) => {
      if (product) void give(product.id, picture);
      else setFile(picture);
    },
    leave: () => {
      saved.current = true;
    },
  };
}

function Editor({ product }: { product: Product | null }) {
  const canGoBack = useCanGoBack();
  const navigate = useNavigate();
  const [url, setUrl] = useUrl();
  const chosen = useProjectId();
  const may = useMayEdit(product?.project_id ?? chosen);
  const facets = useFacets(NO_FILTERS, [], product?.project_id ?? chosen, may);
  const form = useRef<HTMLFormElement>(null);
  const writing = useWriting(product, form);
  const { draft, problems, trouble, busy, dirty } = writing;
  const image = Number(url['image'] ?? 0);
  const title = product?.title ?? t('catalogue.newProduct');
  useTitle(title);
  useShortcuts([{ keys: 'ctrl+s', label: t('app.save'), run: () => void writing.save() }], may);
  const back = () => {
    if (canGoBack) history.back();
    else void navigate({ to: '/catalogue' });
  };
  if (!may && !product)
    return <Empty main icon={Lock} title={t('app.notAllowed')} text={t('app.notAllowedHint')} />;
  return (
    <div className="h-full overflow-auto">
      <div className="mx-auto flex max-w-5xl flex-col gap-6 p-4 md:p-6">
        <div className="flex flex-wrap items-center gap-3">
          <Button look="quiet" icon={ChevronLeft} onClick={back} className="-ml-2 px-2">
            {t('catalogue.title')}
          </Button>
          <h1 className="min-w-0 flex-1 basis-36 truncate text-xl font-semibold" title={title}>
            {title}
          </h1>
          {may && product && (
            <RoomyButton
              look="danger"
              icon={Trash2}
              onClick={() => {
                writing.leave();
                remove([product.id]);
                void navigate({ to: '/catalogue' });
              }}
            >
              {t('catalogue.remove')}
            </RoomyButton>
          )}
        </div>
        <Task />
        <div className="grid gap-6 md:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
          <Picture
            product={product}
            file={writing.file}
            busy={busy && writing.file !== null}
            may={may}
            onFile={writing.take}
            onFetch={() => product && void start(`/products/${product.id}/index`, {})}
            onOpen={(id) => setUrl({ image: String(id) })}
          />
          {may ? (
            <form
              ref={form}
              noValidate
              className="flex min-w-0 flex-col gap-4"
              onSubmit={(event) => {
                event.preventDefault();
                void writing.save();
              }}
            >
              {trouble !== null && <Trouble error={trouble} />}
              <Fields
                draft={draft}
                problems={problems}
                isNew={product === null}
                categories={(facets?.categories ?? []).map(({ value }) => value).filter(Boolean)}
                onChange={writing.change}
              />
              <div className="sticky bottom-0 -mx-1 flex flex-wrap items-center justify-end gap-2 border-t border-line bg-bg px-1 py-3">
                <p className="mr-auto text-muted" role="status">
                  {dirty
                    ? t('catalogue.notSaved')
                    : product && (
                        <span title={date(product.updated_at)}>
                          {t('catalogue.changedAt', { when: ago(product.updated_at) })}
                        </span>
                      )}
                </p>
                <Button disabled={!dirty || busy} onClick={writing.discard}>
                  {t('catalogue.discard')}
                </Button>
                <Button type="submit" look="primary" icon={Save} busy={busy} disabled={!dirty || busy}>
                  {t('app.save')}
                </Button>
              </div>
            </form>
          ) : (
            product && <Facts product={product} />
          )}
        </div>
      </div>
      {writing.guard}
      {image > 0 && (
        <Viewer
          id={image}
          onClose={() => setUrl({ image: undefined })}
          onOpen={(id) => setUrl({ image: String(id) }, true)}
        />
      )}
    </div>
  );
}

function Existing({ id }: { id: number }) {
  const { data, error, refetch } = useProduct(id);
  if (data) return <Editor product={data} />;
  if (!(id > 0)) return <Empty main icon={PackageX} title={t('app.notFound')} text={t('app.notFoundHint')} />;
  return (
    <div className="mx-auto flex max-w-5xl flex-col gap-6 p-4 md:p-6">
      <h1 className="text-xl font-semibold">{t('catalogue.product')}</h1>
      {error ? (
        <Trouble error={error} onRetry={() => void refetch()} />
      ) : (
        <div className="grid gap-6 md:grid-cols-[2fr_3fr]">
          <Skeleton className="aspect-square" />
          <Skeleton className="h-96" />
        </div>
      )}
    </div>
  );
}

export default function ProductPage() {
  const { id = '' }: { id?: string } = useParams({ strict: false });
  return id === 'new' ? <Editor key="new" product={null} /> : <Existing key={id} id={Number(id)} />;
}
