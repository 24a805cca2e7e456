import { MagpieError } from '@magpie/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describe as words } from '@/app/errors';
import { listen, shortcuts, type Shortcut } from '@/app/keys';
import { dismiss, toast, toasts, undoable } from '@/app/toasts';
import { magpie } from '@/app/session';
import { safeReturn } from '@/lib/url';
import { readTerms, readThreshold, writeTerms, writeThreshold } from '@/pages/search/terms';
import { isPicture, ofList } from '@/upload/files';
import { cancel, enqueue, pause, queue, retry } from '@/upload/queue';

describe('the way back after signing in', () => {
  it('is a path of this app and no other', () => {
    expect(safeReturn('/library?tag=sea')).toBe('/library?tag=sea');
    for (const bad of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '',
      '/login',
      undefined,
    ])
      expect(safeReturn(bad)).toBe('/');
  });
});

describe('what went wrong', () => {
  it('is told with what to do next', async () => {
    const body = { detail: 'the cursor is not one of this list', request_id: 'r7' };
    const answer = new Response(JSON.stringify(body), {
      status: 422,
      headers: { 'Content-Type': 'application/problem+json' },
    });
    expect(words(await MagpieError.of(answer))).toEqual({
      what: 'The cursor is not one of this list.',
      next: 'Correct what is named, then try again.',
      requestId: 'r7',
    });
    expect(words(new TypeError('Failed to fetch')).next).toContain('out of reach');
    expect(words(await MagpieError.of(new Response('', { status: 500 }))).next).toContain('number below');
  });
});

describe('shortcuts', () => {
  let stop: () => void;
  const press = (key: string, more: KeyboardEventInit = {}, target: Element = document.body) =>
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
  const register = (list: Shortcut[]) => shortcuts.set(list);

  beforeEach(() => (stop = listen()));
  afterEach(() => {
    stop();
    shortcuts.set([]);
    document.body.replaceChildren();
  });

  it('are keys, keys with control, and sequences', () => {
    const [l, gl, ck] = [vi.fn(), vi.fn(), vi.fn()];
    register([
      { keys: 'l', run: l },
      { keys: 'g l', run: gl },
      { keys: 'ctrl+k', run: ck },
    ]);
    press('l');
    press('g');
    press('l');
    press('K', { ctrlKey: true });
    expect([l, gl, ck].map((each) => each.mock.calls.length)).toEqual([1, 1, 1]);
  });

  it('leave fields alone, and dialogs to themselves', () => {
    const [slash, escape] = [vi.fn(), vi.fn()];
    register([
      { keys: '/', run: slash },
      { keys: 'i', run: escape, inDialog: true },
    ]);
    const input = document.body.appendChild(document.createElement('input'));
    press('/', {}, input);
    expect(slash).not.toHaveBeenCalled();
    const dialog = document.body.appendChild(document.createElement('dialog'));
    dialog.setAttribute('open', '');
    press('/');
    press('i');
    expect([slash, escape].map((each) => each.mock.calls.length)).toEqual([0, 1]);
  });

  it('are those of the last one that came', () => {
    const [under, over] = [vi.fn(), vi.fn()];
    register([
      { keys: 'Escape', run: under },
      { keys: 'Escape', run: over },
    ]);
    press('Escape');
    expect([under, over].map((each) => each.mock.calls.length)).toEqual([0, 1]);
  });
});

describe('what can be taken back', () => {
  afterEach(() => toasts.set([]));

  it('is done when its notice goes, once', () => {
    const [commit, revert] = [vi.fn(), vi.fn()];
    undoable('gone', 'Undo', commit, revert);
    const id = toasts.get()[0]?.id ?? 0;
    dismiss(id);
    dispatchEvent(new Event('pagehide'));
    expect([commit, revert].map((each) => each.mock.calls.length)).toEqual([1, 0]);
  });

  it('is not done when it was taken back', () => {
    const [commit, revert] = [vi.fn(), vi.fn()];
    undoable('gone', 'Undo', commit, revert);
    const [one] = toasts.get();
    dismiss(one?.id ?? 0, true);
    one?.action?.run();
    dispatchEvent(new Event('pagehide'));
    expect([commit, revert].map((each) => each.mock.calls.length)).toEqual([0, 1]);
  });

  it('is done when the page is left, or others push its notice out', () => {
    const [left, pushed] = [vi.fn(), vi.fn()];
    undoable('one', 'Undo', left, vi.fn());
    dispatchEvent(new Event('pagehide'));
    expect(left).toHaveBeenCalledOnce();
    undoable('two', 'Undo', pushed, vi.fn());
    for (let i = 0; i < 5; i++) toast({ text: `${i}` });
    expect(pushed).toHaveBeenCalledOnce();
  });
});

describe('the parts of a search', () => {
  it('stand in the address and come back from it', () => {
    const terms = [
      { kind: 'text', value: 'a storm: 50% (grey)', weight: 0.5, not: true },
      { kind: 'id', value: '12', weight: 1, not: false },
    ] as const;
    expect(readTerms(writeTerms(terms))).toEqual(terms);
    expect(writeTerms([])).toBeUndefined();
  });

  it('never leave out the best one at the end of the slider', () => {
    for (const best of [0.28375, 0.2839999, 0.284, 1, 0.0004, -0.12345]) {
      expect(readThreshold(writeThreshold(best))).toBeLessThanOrEqual(best);
      expect(readThreshold(writeThreshold(best))).toBeGreaterThan(best - 0.0021);
    }
    expect(readThreshold(undefined)).toBe(-Infinity);
    expect(readThreshold('x')).toBe(-Infinity);
  });

  it('are not taken from an address that makes no sense', () => {
    for (const bad of [
      'text',
      'text:x:y',
      'text:-1:y',
      'vector:1:y',
      'text:1:%E0%A4',
      'text:1:',
      'text:99999:y',
    ])
      expect(readTerms(bad)).toEqual([]);
  });
});

describe('files', () => {
  it('are pictures by type or by name, and keep their folders', () => {
    expect(isPicture(new File([], 'a.HEIC'))).toBe(true);
    expect(isPicture(new File([], 'a', { type: 'image/png' }))).toBe(true);
    expect(isPicture(new File([], 'notes.txt', { type: 'text/plain' }))).toBe(false);
    expect(ofList([new File([], 'a.png')])[0]?.path).toBe('a.png');
  });
});

describe('uploads', () => {
  const file = (name: string) => ({ file: new File(['x'], name, { type: 'image/png' }), path: name });
  const states = () => queue.get().items.map((item) => item.status);

  afterEach(() => {
    vi.restoreAllMocks();
    cancel(queue.get().items.map((item) => item.id));
    pause(false);
  });

  it('go three at a time, and all of them', async () => {
    let inside = 0;
    let most = 0;
    vi.spyOn(magpie, 'upload').mockImplementation(async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      return { status: 'ok', images: [], added: 1, known: 0, refused: 0 };
    });
    enqueue(Array.from({ length: 10 }, (_, i) => file(`${i}.png`)));
    await vi.waitFor(() => expect(states().every((status) => status === 'added')).toBe(true));
    expect(most).toBe(3);
  });

  it('pause, go on, and can be cancelled', async () => {
    const sent = vi.spyOn(magpie, 'upload').mockImplementation(
      (_, options) =>
        new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    );
    enqueue([file('a.png'), file('b.png'), file('c.png'), file('d.png')]);
    expect(states()).toEqual(['sending', 'sending', 'sending', 'waiting']);
    pause(true);
    await vi.waitFor(() => expect(states()).toEqual(['waiting', 'waiting', 'waiting', 'waiting']));
    pause(false);
    expect(sent).toHaveBeenCalledTimes(6);
    cancel(queue.get().items.map((item) => item.id));
    expect(states()).toEqual([]);
  });

  it('that were refused say why, and are tried again when asked', async () => {
    const refusal = await MagpieError.of(new Response('', { status: 415 }));
    const sent = vi.spyOn(magpie, 'upload').mockRejectedValueOnce(refusal);
    sent.mockResolvedValue({ status: 'ok', images: [], added: 1, known: 0, refused: 0 });
    enqueue([file('a.png')]);
    await vi.waitFor(() => expect(states()).toEqual(['failed']));
    expect(queue.get().items[0]?.trouble?.next).toContain('JPEG');
    retry();
    await vi.waitFor(() => expect(states()).toEqual(['added']));
  });

  it('wait when the service asks for it', async () => {
    const slow = await MagpieError.of(new Response('', { status: 429, headers: { 'Retry-After': '0' } }));
    const sent = vi.spyOn(magpie, 'upload').mockRejectedValueOnce(slow).mockRejectedValueOnce(slow);
    sent.mockResolvedValue({ status: 'ok', images: [], added: 1, known: 0, refused: 0 });
    enqueue([file('a.png')]);
    await vi.waitFor(() => expect(states()).toEqual(['added']));
    expect(sent).toHaveBeenCalledTimes(3);
  });
});
