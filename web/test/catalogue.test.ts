import { describe, expect, it } from 'vitest';
import { delimiterOf, readCsv, writeCsv } from '@/lib/csv';
import {
  decode,
  guess,
  isWrong,
  kindOf,
  lackOf,
  mappingOf,
  rowsAt,
  sampleOf,
} from '@/pages/catalogue-import/columns';
import { changesOf, draftOf, isChanged, newDetail, problemsOf } from '@/pages/catalogue-product/draft';
import { dayOf, readPeriod, secondsOf } from '@/pages/catalogue-report/period';
import {
  categoriesOf,
  categoryList,
  priceOf,
  readFilters,
  readOrder,
  type Product,
} from '@/pages/catalogue/products';
import { bodyOf, readLike, readWeight } from '@/pages/catalogue/search';

const lines = (text: string) => [...readCsv(text)];

describe('comma-separated values', () => {
  it('are told apart by whatever the first line has most of', () => {
    expect(delimiterOf('a;b;c,d\n1,2,3,4,5')).toBe(';');
    expect(delimiterOf('\n"a;b;c",d\n')).toBe(',');
    expect(delimiterOf('a\tb')).toBe('\t');
    expect(delimiterOf('alone')).toBe(',');
  });

  it('are read with quotes, line ends of each kind, and the line that a row begins at', () => {
    expect(lines('a,b\r\n"1,2","say ""so"""\r\n\r\n"two\nlines",x\rlast,\n')).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1,2', 'say "so"'] },
      { line: 4, cells: ['two\nlines', 'x'] },
      { line: 6, cells: ['last', ''] },
    ]);
    expect(lines('\uFEFFid,5" screen\n')).toEqual([{ line: 1, cells: ['id', '5" screen'] }]);
    expect(lines('a,"never closed\nb')).toEqual([{ line: 1, cells: ['a', 'never closed\nb'] }]);
    expect(lines('')).toEqual([]);
  });

  it('come back as they were written, and are no formulas', () => {
    const rows = [
      ['a', 'b "c"'],
      ['d,e', 'two\nlines'],
    ];
    expect(lines(writeCsv(rows)).map(({ cells }) => cells)).toEqual(rows);
    expect(writeCsv([['=1+1', -1]])).toBe("'=1+1,-1\r\n");
  });
});

describe('columns of an import', () => {
  it('are guessed by their names, each field once, the exact name before others', () => {
    expect(guess(['SKU', 'Product Name', 'Währung', 'Preis', 'Colour', ''])).toEqual([
      'external_id',
      'title',
      'currency',
      'price',
      'detail',
      'none',
    ]);
    expect(guess(['name', 'Title', 'id', 'external_id'])).toEqual([
      'detail',
      'title',
      'detail',
      'external_id',
    ]);
    // Another column is the title already: this one cannot be kept under the name of a field.
    expect(guess(['title', 'TITLE'])).toEqual(['title', 'none']);
  });

  it('are told to the service: what is left out is mapped to nothing, a detail is not mapped', () => {
    expect(
      mappingOf(['SKU', ' Name ', 'Colour', 'Junk', ''], ['external_id', 'title', 'detail', 'none', 'none']),
    ).toEqual({ SKU: 'external_id', Name: 'title', Junk: '' });
  });

  it('lack what the service needs', () => {
    expect(lackOf(['title', 'detail'])).toBe('external_id');
    expect(lackOf(['external_id', 'price'])).toBe('title');
    expect(lackOf(['external_id', 'title', 'title'])).toBe('twice');
    expect(lackOf(['external_id', 'title', 'detail', 'detail', 'none', 'none'])).toBeNull();
  });

  it('are found in both kinds of files', () => {
    expect(kindOf('a.csv', 'id,title')).toBe('csv');
    expect(kindOf('a.txt', ' {"id": 1}')).toBe('jsonl');
    expect(kindOf('a.ndjson', '')).toBe('jsonl');
    expect(sampleOf('csv', 'id; title\n1;One;more\n2\n')).toEqual({
      kind: 'csv',
      columns: ['id', 'title'],
      rows: [
        ['1', 'One'],
        ['2', ''],
      ],
    });
    expect(sampleOf('jsonl', '{"id":1,"title":"One"}\nnonsense\n{"id":2,"tags":["x"]}\n')).toEqual({
      kind: 'jsonl',
      columns: ['id', 'title', 'tags'],
      rows: [
        ['1', 'One', ''],
        ['2', '', '["x"]'],
      ],
    });
  });

  it('are read whatever letters the spreadsheet wrote', () => {
    const bytes = new TextEncoder().encode('Größe');
    expect(decode(bytes, true)).toEqual({ text: 'Größe', encoding: 'utf-8' });
    // Cut within a letter.
    expect(decode(bytes.slice(0, 4), false)).toEqual({ text: 'Gr\u00f6', encoding: 'utf-8' });
    expect(decode(Uint8Array.from([0x47, 0x72, 0xf6, 0xdf, 0x65]), true)).toEqual({
      text: 'Größe',
      encoding: 'windows-1252',
    });
    expect(decode(Uint8Array.from([0xff, 0xfe, 0x41, 0x00]), true)).toEqual({
      text: 'A',
      encoding: 'utf-16le',
    });
  });

  it('give refused rows back by their lines', () => {
    const text = 'id,title\n1,"two\nlines"\n2,\n';
    expect(rowsAt('csv', text, new Set([4]))).toEqual(new Map([[4, ['2', '']]]));
    expect(rowsAt('jsonl', '{"id":1}\n{"id":2}\nnonsense\n', new Set([2, 3]))).toEqual(
      new Map([
        [2, ['2']],
        [3, ['nonsense']],
      ]),
    );
  });

  it('show what will be refused', () => {
    expect(isWrong('price', 'twelve')).toBe(true);
    expect(isWrong('price', ' 12.50 ')).toBe(false);
    expect(isWrong('price', '12,50')).toBe(false);
    expect(isWrong('price', '1,250')).toBe(true);
    expect(isWrong('title', '')).toBe(true);
    expect(isWrong('currency', 'eur')).toBe(true);
    expect(isWrong('image_url', 'ftp://x')).toBe(true);
    expect(isWrong('image_url', '')).toBe(false);
  });
});

const PRODUCT: Product = {
  id: 5,
  project_id: 1,
  external_id: 'LH-1',
  title: 'Lighthouse lamp',
  description: '',
  category: 'lamps',
  price: '49.90',
  currency: 'EUR',
  image_url: '',
  metadata: { colour: 'brass', watts: 40 } as unknown as Product['metadata'],
  image_id: null,
  preview_url: null,
  index_state: 'none',
  index_error: '',
  created_at: '2026-01-31T12:00:00Z',
  updated_at: '2026-01-31T12:00:00Z',
};

describe('a product that is written', () => {
  const before = draftOf(PRODUCT);

  it('says only what changed', () => {
    expect(isChanged(draftOf(PRODUCT), before)).toBe(false);
    expect(isChanged({ ...before, title: ' Lighthouse lamp ', price: '49,90' }, before)).toBe(false);
    expect(changesOf({ ...before, price: '', category: 'lights' }, before)).toEqual({
      price: null,
      category: 'lights',
    });
  });

  it('keeps what its details are', () => {
    const [colour, watts] = before.details;
    if (!colour || !watts) throw new Error('no details');
    expect(
      changesOf(
        {
          ...before,
          details: [
            { ...colour, value: '40' },
            { ...watts, value: '60' },
          ],
        },
        before,
      ).metadata,
    ).toEqual({ colour: '40', watts: 60 });
    expect(changesOf({ ...before, details: [colour, newDetail('size', '2')] }, before).metadata).toEqual({
      colour: 'brass',
      size: '2',
    });
  });

  it('is held against the limits', () => {
    expect(problemsOf(before, false)).toEqual({});
    expect(
      problemsOf(
        {
          ...before,
          title: ' ',
          external_id: '',
          price: '1.23456',
          currency: 'EURO',
          image_url: 'javascript:alert(1)',
          category: 'ü'.repeat(200),
          details: [newDetail('', 'x')],
        },
        false,
      ),
    ).toEqual({
      title: 'catalogue.wrong.title',
      external_id: 'catalogue.wrong.external_id',
      price: 'catalogue.wrong.price',
      currency: 'catalogue.wrong.currency',
      image_url: 'catalogue.wrong.image_url',
      category: 'catalogue.wrong.long',
      details: 'catalogue.wrong.noName',
    });
    expect(problemsOf({ ...draftOf(null), title: 'x' }, true)).toEqual({});
    expect(problemsOf({ ...before, details: [newDetail('a'), newDetail('a ')] }, false).details).toBe(
      'catalogue.wrong.twice',
    );
  });
});

describe('the address of the catalogue', () => {
  it('is read with care', () => {
    expect(priceOf('12,5')).toBe('12.5');
    expect(priceOf('cheap')).toBe('');
    expect(readFilters({ price_min: '-1', has_picture: 'maybe', category: 'a,b' })).toEqual({
      category: 'a,b',
      price_min: '',
      price_max: '',
      currency: '',
      has_picture: '',
    });
    expect(readOrder({})).toEqual({ sort: 'created', order: 'desc' });
    expect(readOrder({ sort: 'price' })).toEqual({ sort: 'price', order: 'asc' });
    expect(readOrder({ sort: 'nonsense', order: 'asc' })).toEqual({ sort: 'created', order: 'asc' });
    expect(readLike({ product: '5', image: '6' })).toEqual({ kind: 'product', id: 5 });
    expect(readLike({ image: '1e99' })).toBeNull();
    expect(readWeight({ weight: '7' })).toBe(0.5);
  });

  it('names categories, also those with commas', () => {
    const names = ['lamps', 'hats, caps', 'back\\slash', 'both\\,'];
    expect(categoryList(['a, b', 'c\\'])).toBe('a\\, b,c\\\\');
    expect(categoriesOf({ category: categoryList(names) })).toEqual(names);
    expect(categoriesOf({ category: ',a,,b\\c,' })).toEqual(['a', 'b\\c']);
  });

  it('makes questions that the service takes', () => {
    const filters = readFilters({ category: 'lamps', price_max: '60' });
    expect(bodyOf({ words: ' lamp ', like: null, weight: 1, filters, project: 3 }, '')).toEqual({
      query: 'lamp',
      category: 'lamps',
      price_max: '60',
      project_id: 3,
      limit: 60,
      weights: { picture: 0, text: 1 },
    });
    // Of a picture alone nothing has to be weighed.
    expect(
      bodyOf(
        {
          words: '',
          like: { kind: 'product', id: 5 },
          weight: 1,
          filters: readFilters({}),
          project: undefined,
        },
        '60',
      ),
    ).toEqual({ cursor: '60', limit: 60, product_id: 5 });
  });
});

describe('the period of a report', () => {
  const now = new Date(2026, 2, 15, 9, 30);

  it('is so many days up to today, or from one day to another', () => {
    expect(readPeriod({}, now)).toEqual({ span: 30, from: '2026-02-14', to: '2026-03-15' });
    expect(readPeriod({ days: '7' }, now).from).toBe('2026-03-09');
    expect(readPeriod({ from: '2026-01-01', to: '2026-01-31' }, now).span).toBeNull();
    expect(readPeriod({ from: '2026-02-01', to: '2026-01-31' }, now).span).toBe(30);
    expect(readPeriod({ from: 'nonsense', to: '2026-01-31' }, now).span).toBe(30);
  });

  it('counts its last day in', () => {
    const { from, to } = secondsOf({ span: null, from: '2026-01-31', to: '2026-01-31' });
    expect(dayOf(new Date(from * 1000))).toBe('2026-01-31');
    expect(dayOf(new Date(to * 1000))).toBe('2026-02-01');
  });
});
