/* Comma-separated values: read as the service reads them (any of three delimiters, a quote counts at the beginning of
 * a cell alone), written so that spreadsheets take them. */

export interface CsvRow {
  /** Of its beginning, from 1. */
  line: number;
  cells: string[];
}

/** Whichever of the three the first line has most of, outside quotes; a comma if it has none. */
export function delimiterOf(text: string): string {
  const counts = new Map([',', ';', '\t'].map((one) => [one, 0]));
  let quoted = false;
  let any = false;
  for (const c of text) {
    const end = !quoted && (c === '\n' || c === '\r');
    if (end && any) break;
    any ||= !end;
    if (c === '"') quoted = !quoted;
    const count = counts.get(c);
    if (!quoted && count !== undefined) counts.set(c, count + 1);
  }
  let best = ',';
  for (const [one, count] of counts) if (count > (counts.get(best) ?? 0)) best = one;
  return best;
}

/** Rows, empty ones left out; a row that was cut off is among them. */
export function* readCsv(text: string, delimiter = delimiterOf(text)): Generator<CsvRow, void, undefined> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  const isEnd = (c: string | undefined) => c === '\n' || c === '\r';
  while (at < text.length) {
    const row: CsvRow = { line, cells: [] };
    let cell = '';
    let quoted = text[at] === '"';
    if (quoted) at++;
    for (;;) {
      const c = text[at];
      if (c === undefined || (!quoted && isEnd(c))) break;
      at++;
      if (quoted && c === '"') {
        if (text[at] === '"') {
          cell += c;
          at++;
        } else quoted = false;
      } else if (!quoted && c === delimiter) {
        row.cells.push(cell);
        cell = '';
        quoted = text[at] === '"';
        if (quoted) at++;
      } else {
        if (c === '\n' || (c === '\r' && text[at] !== '\n')) line++;
        cell += c;
      }
    }
    row.cells.push(cell);
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    at++;
    line++;
    if (row.cells.length > 1 || cell !== '') yield row;
  }
}

type Value = string | number | boolean;

/** A cell that a spreadsheet would take for a formula is text. */
function cell(value: Value): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function writeCsv(rows: readonly (readonly Value[])[]): string {
  return rows.map((row) => row.map(cell).join(',') + '\r\n').join('');
}
