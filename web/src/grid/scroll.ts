/* Browsers draw no element that is higher than some 17 million pixels, and a million pictures need more. So the
 * scrolled element has a bounded height, and `offset` says how far the content is shifted against it: near
 * movements keep the offset and are exact; far ones (the scrollbar is dragged) are taken as a share of the whole.
 * Near both ends there is no shift at all, so that they are reached by any step. */

export const MOST_HEIGHT = 8_000_000;
const EDGE = 100_000;

export class ScrollMap {
  #content = 0;
  #view = 0;
  #offset = 0;
  #top = 0;

  /** Of the element that is scrolled. */
  get height(): number {
    return Math.min(this.#content, MOST_HEIGHT);
  }

  /** Where the view begins, in the content. */
  get at(): number {
    return this.#top + this.#offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get #far(): number {
    return Math.max(0, this.#content - this.#view);
  }

  get #reach(): number {
    return Math.max(0, this.height - this.#view);
  }

  /** The content grew or shrank; what is seen stays. Returns the scrollTop to set. */
  resize(content: number, view: number): number {
    const at = this.at;
    this.#content = content;
    this.#view = view;
    return this.go(at);
  }

  /** The element was scrolled to `top`. Returns the scrollTop to set, which is another one when an end of the element
   * was reached before the end of the content. */
  moved(top: number): number {
    const near = Math.abs(top - this.#top) <= 2 * this.#view;
    if (this.#far === this.#reach) this.#offset = 0;
    else if (!near) this.#offset = this.#contentAt(top) - top;
    this.#top = top;
    const at = Math.min(this.#far, Math.max(0, this.at));
    const atEnd = (top <= 0 && at > 0) || (top >= this.#reach && at < this.#far);
    if (atEnd && this.#far !== this.#reach) return this.go(at);
    this.#offset = at - top;
    return top;
  }

  /** Shows the content from `at`. Returns the scrollTop to set. */
  go(at: number): number {
    const to = Math.min(this.#far, Math.max(0, at));
    this.#top = Math.round(this.#elementAt(to));
    this.#offset = to - this.#top;
    return this.#top;
  }

  /** From the content to the element: the same at both ends, in between a share. */
  #elementAt(at: number): number {
    const [far, reach] = [this.#far, this.#reach];
    if (far === reach || at <= EDGE) return at;
    if (at >= far - EDGE) return reach - (far - at);
    return EDGE + ((at - EDGE) / (far - 2 * EDGE)) * (reach - 2 * EDGE);
  }

  #contentAt(top: number): number {
    const [far, reach] = [this.#far, this.#reach];
    if (top <= EDGE) return top;
    if (top >= reach - EDGE) return far - (reach - top);
    return EDGE + ((top - EDGE) / (reach - 2 * EDGE)) * (far - 2 * EDGE);
  }
}
