/* Which pictures are chosen. They are named by id; ranges are by place in the whole list, so that shift reaches over
 * pictures that were never loaded - those are asked for when something is done with them. */
export class Selection {
  constructor(
    readonly ids: ReadonlySet<number> = new Set(),
    /** Where a range with shift begins: the place in the list. */
    readonly anchor: number | null = null,
  ) {}

  get size(): number {
    return this.ids.size;
  }

  has(id: number): boolean {
    return this.ids.has(id);
  }

  only(id: number, at: number): Selection {
    return new Selection(new Set([id]), at);
  }

  toggle(id: number, at: number): Selection {
    const ids = new Set(this.ids);
    if (!ids.delete(id)) ids.add(id);
    return new Selection(ids, at);
  }

  /** With these, too. */
  add(more: Iterable<number>, anchor = this.anchor): Selection {
    return new Selection(new Set([...this.ids, ...more]), anchor);
  }

  without(gone: Iterable<number>): Selection {
    const ids = new Set(this.ids);
    for (const id of gone) ids.delete(id);
    return new Selection(ids, this.anchor);
  }
}
