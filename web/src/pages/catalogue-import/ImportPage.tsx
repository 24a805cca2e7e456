/* A catalogue out of a file: what its columns are, what came of its rows, and which were refused why. */
import type { components } from '@magpie/client';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronLeft, Download, FileUp } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useProjectId, useProjects } from '@/app/project';
import { magpie } from '@/app/session';
import { toastError } from '@/app/toasts';
import { writeCsv } from '@/lib/csv';
import { save } from '@/lib/save';
import { useMayEdit } from '@/pages/catalogue/may';
import { changed } from '@/pages/catalogue/products';
import { follow } from '@/pages/catalogue/task';
import { Task } from '@/pages/catalogue/Task';
import { bytes, number, t } from '@/text';
import { Button } from '@/ui/Button';
import { cx } from '@/ui/cx';
import { Meter } from '@/ui/Meter';
import { Page } from '@/ui/Page';
import { Trouble } from '@/ui/Trouble';
import {
  decode,
  guess,
  kindOf,
  lackOf,
  mappingOf,
  rowsAt,
  sampleOf,
  type Sample,
  type Target,
  type Text,
} from './columns';
import { Mapping, Preview } from './Mapping';

type Answer = components['schemas']['ImportAnswer'];

interface Chosen {
  file: File;
  encoding: Text['encoding'];
  sample: Sample;
}

const LOOKED_AT = 256 * 1024;
/** Refused rows are looked up in files that memory has room for. */
const MOST_READ = 64 * 1024 * 1024;

const EXAMPLE = [
  ['external_id', 'title', 'description', 'category', 'price', 'currency', 'image_url', 'colour'],
  ['LH-1', 'Lighthouse lamp', 'A lamp of brass.', 'lamps', '49.90', 'EUR', '', 'brass'],
] as const;

async function look(file: File): Promise<Chosen> {
  const head = new Uint8Array(await file.slice(0, LOOKED_AT).arrayBuffer());
  const whole = file.size <= LOOKED_AT;
  const { text, encoding } = decode(head, whole);
  // The last line may have been cut.
  const lines = whole ? text : text.slice(0, text.lastIndexOf('\n') + 1);
  return { file, encoding, sample: sampleOf(kindOf(file.name, text), lines) };
}

async function wholeText({ file }: Chosen): Promise<string> {
  return decode(new Uint8Array(await file.arrayBuffer()), true).text;
}

async function run(chosen: Chosen, targets: readonly Target[], project: number | undefined): Promise<Answer> {
  const { file, encoding, sample } = chosen;
  // The service reads UTF-8.
  const body = encoding === 'utf-8' ? file : new Blob([await wholeText(chosen)]);
  const form = new FormData();
  form.append('format', sample.kind);
  form.append('mapping', JSON.stringify(mappingOf(sample.columns, targets)));
  if (project !== undefined) form.append('project_id', String(project));
  form.append('file', body, file.name);
  const { data } = await magpie.api.POST('/products/import', {
    body: form as never,
    bodySerializer: (whole: unknown) => whole as FormData,
  });
  return data as Answer;
}

function Choose({ onFile }: { onFile: (file: File) => void }) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const [file] = event.dataTransfer.files;
        if (file) onFile(file);
      }}
      className={cx(
        'flex flex-col items-center gap-4 rounded-md border-2 border-dashed px-6 py-16 text-center',
        over ? 'border-accent bg-accent-soft' : 'border-line-strong',
      )}
    >
      <FileUp size={36} strokeWidth={1.5} aria-hidden className="text-muted" />
      <p className="max-w-lg text-muted">{t('catalogue.import.drop')}</p>
      <div className="flex flex-wrap justify-center gap-2">
        <Button look="primary" icon={FileUp} onClick={() => input.current?.click()}>
          {t('catalogue.import.choose')}
        </Button>
        <Button icon={Download} onClick={() => save('products.csv', 'text/csv', writeCsv(EXAMPLE))}>
          {t('catalogue.import.example')}
        </Button>
      </div>
      <input
        ref={input}
        type="file"
        hidden
        data-pick="import"
        accept=".csv,.tsv,.txt,.jsonl,.ndjson,text/csv,application/x-ndjson"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) onFile(file);
          event.target.value = '';
        }}
      />
    </div>
  );
}

function Figures({ answer }: { answer: Answer }) {
  return (
    <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4">
      {(['created', 'updated', 'unchanged', 'refused'] as const).map((name) => (
        <div key={name} className="rounded-md border border-line bg-surface p-4">
          <dt className="text-muted">{t(`catalogue.import.figure.${name}`)}</dt>
          <dd
            className={cx(
              'text-2xl font-semibold tabular-nums',
              name === 'refused' && answer.refused > 0 && 'text-danger',
            )}
          >
            {number(answer[name])}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Refused({ answer, chosen }: { answer: Answer; chosen: Chosen }) {
  const [rows, setRows] = useState<ReadonlyMap<number, string[]>>(new Map());
  useEffect(() => {
    if (chosen.file.size > MOST_READ) return;
    let here = true;
    const lines = new Set(answer.errors.map(({ line }) => line));
    void wholeText(chosen).then((text) => {
      if (here) setRows(rowsAt(chosen.sample.kind, text, lines));
    });
    return () => {
      here = false;
    };
  }, [answer, chosen]);
  const take = () =>
    save(
      'refused.csv',
      'text/csv',
      writeCsv([
        [t('catalogue.import.line'), t('catalogue.import.reason'), ...chosen.sample.columns],
        ...answer.errors.map(({ line, error }) => [line, error, ...(rows.get(line) ?? [])]),
      ]),
    );
  return (
    <section className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lg font-semibold">{t('catalogue.import.refused', { n: answer.refused })}</h2>
        <Button icon={Download} onClick={take}>
          {t('catalogue.import.download')}
        </Button>
      </div>
      <p className="text-muted">
        {t('catalogue.import.refusedText')}
        {answer.refused > answer.errors.length &&
          ` ${t('catalogue.import.first', { n: answer.errors.length })}`}
      </p>
      <div
        role="region"
        aria-label={t('catalogue.import.refusedRows')}
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md border border-line bg-surface"
      >
        <table className="w-full border-collapse">
          <thead>
            <tr className="border-b border-line text-left">
              <th scope="col" className="px-3 py-2 font-medium">
                {t('catalogue.import.line')}
              </th>
              <th scope="col" className="px-3 py-2 font-medium">
                {t('catalogue.import.reason')}
              </th>
              <th scope="col" className="px-3 py-2 font-medium max-sm:hidden">
                {t('catalogue.import.row')}
              </th>
            </tr>
          </thead>
          <tbody>
            {answer.errors.map(({ line, error }) => (
              <tr key={line} className="border-b border-line last:border-0">
                <td className="px-3 py-2 align-top tabular-nums">{number(line)}</td>
                <td className="px-3 py-2 align-top break-words">{error}</td>
                <td className="max-w-96 truncate px-3 py-2 align-top text-muted max-sm:hidden">
                  {(rows.get(line) ?? []).filter(Boolean).join(' · ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Ready({
  chosen,
  onAgain,
  onDone,
}: {
  chosen: Chosen;
  onAgain: () => void;
  onDone: (answer: Answer) => void;
}) {
  const { file, sample, encoding } = chosen;
  const [targets, setTargets] = useState(() => guess(sample.columns));
  const project = useProjectId();
  const { data: projects } = useProjects();
  const may = useMayEdit(project);
  const sending = useMutation({
    mutationFn: () => run(chosen, targets, project),
    onSuccess: (answer) => {
      changed();
      if (answer.job_id) follow(answer.job_id);
      onDone(answer);
    },
  });
  const lack = lackOf(targets);
  const name = projects?.find(({ id }) => id === project)?.name;
  return (
    <div className="flex flex-col gap-6">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="min-w-0">
          <span className="font-medium break-all">{file.name}</span>{' '}
          <span className="text-muted">
            {bytes(file.size)} · {t(`catalogue.import.kind.${sample.kind}`)}
            {encoding !== 'utf-8' && ` · ${t('catalogue.import.encoding', { name: encoding })}`}
            {name !== undefined && ` · ${t('catalogue.import.into', { name })}`}
          </span>
        </p>
        <Button onClick={onAgain}>{t('catalogue.import.another')}</Button>
      </div>
      <Mapping sample={sample} targets={targets} onTargets={setTargets} />
      <Preview sample={sample} targets={targets} />
      {sending.error && <Trouble error={sending.error} onRetry={() => sending.mutate()} />}
      <div className="sticky bottom-0 flex flex-wrap items-center justify-end gap-3 border-t border-line bg-bg py-3">
        {sending.isPending ? (
          <div className="mr-auto min-w-48 flex-1">
            <p role="status">{t('catalogue.import.running')}</p>
            <Meter label={t('catalogue.import.running')} done={0} total={0} />
          </div>
        ) : (
          <p role="status" className={cx('mr-auto', lack ? 'text-danger' : 'text-muted')}>
            {lack ? t(`catalogue.import.lack.${lack}`) : t('catalogue.import.ready')}
          </p>
        )}
        <Button
          look="primary"
          icon={FileUp}
          busy={sending.isPending}
          disabled={lack !== null || !may || sending.isPending}
          onClick={() => sending.mutate()}
        >
          {t('catalogue.import.run')}
        </Button>
      </div>
    </div>
  );
}

export default function ImportPage() {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const again = () => {
    setChosen(null);
    setAnswer(null);
  };
  return (
    <Page
      title={t('catalogue.import.title')}
      narrow
      actions={
        <Link
          to="/catalogue"
          className="inline-flex min-h-9 items-center gap-1 rounded-md px-2 font-medium hover:bg-sunken"
        >
          <ChevronLeft size={16} aria-hidden />
          {t('catalogue.title')}
        </Link>
      }
    >
      {!chosen ? (
        <Choose onFile={(file) => void look(file).then(setChosen, toastError)} />
      ) : !answer ? (
        <Ready key={chosen.file.name} chosen={chosen} onAgain={again} onDone={setAnswer} />
      ) : (
        <>
          <h2 className="sr-only">{t('catalogue.import.outcome')}</h2>
          <Figures answer={answer} />
          <Task />
          {answer.refused > 0 && <Refused answer={answer} chosen={chosen} />}
          <div className="flex flex-wrap gap-2">
            <Link
              to="/catalogue"
              className="inline-flex min-h-9 items-center rounded-md bg-accent px-3 font-medium text-on-accent hover:opacity-90 pointer-coarse:min-h-11"
            >
              {t('catalogue.import.toProducts')}
            </Link>
            <Button onClick={again}>{t('catalogue.import.another')}</Button>
          </div>
        </>
      )}
    </Page>
  );
}
