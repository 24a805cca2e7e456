/* The canvas: deck.gl with the cloud on it. React tells it what to show and hears what was pointed at; it knows
 * nothing of the frames in between.
 *
 * While the view moves, only as many points are drawn as keep it fluent; all of them when it rests. */
import { Deck, OrbitView, OrthographicView, type Viewport } from '@deck.gl/core';
import { LineLayer } from '@deck.gl/layers';
import type { Device } from '@luma.gl/core';
import { Atlas, type Previews } from './atlas';
import type { Cloud } from './cloud';
import { rgbOf, surfaceOf, type Look, type ThemeName } from './look';
import { PlaneGrid } from './near';
import { PointsLayer } from './PointsLayer';
import { PolygonTest } from './polygon';
import { eachPixel, inPolygon, nearestPixel, toPixel } from './project';
import { chooseSprites, packSprites, type Packed } from './sprites';
import { SpritesLayer } from './SpritesLayer';

interface ViewState {
  target: [number, number, number];
  zoom: number;
  rotationX: number;
  rotationOrbit: number;
}

export interface SceneEvents {
  /** -1: nothing. Pixels of the canvas. */
  onHover: (place: number, x: number, y: number) => void;
  onPick: (place: number, add: boolean) => void;
  onError: (error: Error) => void;
}

export interface SceneOptions extends SceneEvents {
  cloud: Cloud;
  look: Look;
  theme: ThemeName;
  /** Absent: no thumbnails. */
  previews: Previews | undefined;
  reducedMotion: boolean;
}

const REST_MS = 180;
const HOVER_PX = 10;
/** Left free at the sides: the tools stand there. */
const SIDE_PX = 64;
const MAX_ZOOM = 24;
const FIRST_SOFTWARE = 40_000;
const LEAST = 20_000;
/** More points than this are no place for thumbnails. */
const SPRITES_AMONG = 4000;

/** Does a processor draw, for want of a graphics card? */
export function drawsInSoftware(): boolean | null {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) return null;
  const known = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(known ? known.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}

export class Scene {
  readonly #canvas: HTMLCanvasElement;
  readonly #options: SceneOptions;
  readonly #deck: Deck<OrbitView | OrthographicView>;
  readonly #software: boolean;
  readonly #ratio: number;
  readonly #end = new AbortController();
  #grid: PlaneGrid | undefined;
  #atlas: Atlas | undefined;
  #device: Device | undefined;
  #view: ViewState = { target: [0, 0, 0], zoom: 8, rotationX: 20, rotationOrbit: 30 };
  #theme: ThemeName;
  #lines: readonly { from: number; to: number }[] = [];
  #sprites: Packed = packSprites([], new Map(), () => [0, 0, 0], new Uint8Array());
  #thumbnails = true;
  #moving = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #budget: number;
  #lastFrame = 0;
  #drawn = 0;
  #tween = 0;
  #hover = -1;
  #hoverAt: { x: number; y: number } | undefined;
  #snap: ((canvas: HTMLCanvasElement) => void) | undefined;
  #ready = false;
  /** The view shows all, and nobody moved it since. */
  #whole = true;

  constructor(canvas: HTMLCanvasElement, options: SceneOptions) {
    this.#canvas = canvas;
    this.#options = options;
    this.#theme = options.theme;
    this.#software = drawsInSoftware() ?? true;
    this.#ratio = this.#software ? 1 : Math.min(2, devicePixelRatio);
    this.#budget = this.#software ? FIRST_SOFTWARE : Infinity;
    this.#deck = new Deck<OrbitView | OrthographicView>({
      canvas,
      views: this.flat ? new OrthographicView({ flipY: false }) : new OrbitView({ orbitAxis: 'Y' }),
      viewState: this.#view as never,
      controller: {
        keyboard: false,
        inertia: options.reducedMotion ? false : 150,
        scrollZoom: { speed: 0.01 },
      },
      useDevicePixels: this.#ratio,
      _pickable: false,
      deviceProps: { type: 'webgl', webgl: { antialias: false, preserveDrawingBuffer: false } },
      layers: [],
      getCursor: ({ isDragging }) => (isDragging ? 'grabbing' : this.#hover >= 0 ? 'pointer' : 'grab'),
      onDeviceInitialized: (device) => {
        this.#device = device;
        if (options.previews) this.#atlas = new Atlas(device, options.previews, () => this.#later());
      },
      onLoad: () => {
        this.#ready = true;
        this.fit(undefined, false);
      },
      onViewStateChange: ({ viewState }) => {
        this.#whole = false;
        this.#go(viewState as unknown as ViewState);
      },
      // Who saw all of it goes on to, in whatever room there is.
      onResize: () => this.#ready && this.#whole && this.fit(undefined, false),
      onAfterRender: () => this.#afterFrame(),
      onError: (error) => options.onError(error),
    });
    this.#listen();
  }

  get flat(): boolean {
    return this.#options.cloud.dims === 2;
  }

  get #viewport(): Viewport | undefined {
    return this.#ready ? this.#deck.getViewports()[0] : undefined;
  }

  // ---- what is drawn ----

  /** Draws again; after a change of the look, of lines, of sprites. */
  update(): void {
    const { cloud, look } = this.#options;
    this.#drawn = Math.round(this.#moving ? Math.min(cloud.count, this.#budget) : cloud.count);
    this.#canvas.dataset['drawn'] = String(this.#drawn); // what a measurement has to know
    const size = this.#pointSize();
    const position = (place: number) => this.#position(place);
    const accent = rgbOf(this.#theme === 'dark' ? '#93b7ff' : '#1d4ed8');
    this.#deck.setProps({
      layers: [
        new PointsLayer({
          id: 'points',
          data: [],
          positions: cloud.positions,
          colors: look.colors,
          version: look.version,
          count: this.#drawn,
          size,
          ratio: this.#ratio,
          round: size >= 4 && !(this.#software && this.#drawn > 20_000),
          flat: this.flat,
        }),
        new LineLayer<{ from: number; to: number }>({
          id: 'lines',
          data: this.#lines,
          getSourcePosition: ({ from }) => position(from),
          getTargetPosition: ({ to }) => position(to),
          getColor: [...accent],
          getWidth: 2,
          parameters: { depthCompare: 'always', depthWriteEnabled: false },
        }),
        new SpritesLayer({
          id: 'sprites',
          data: [],
          sprites: this.#sprites.places,
          frames: this.#sprites.frames,
          atlas: this.#atlas?.texture ?? null,
          visible: this.#thumbnails,
        }),
      ],
    });
  }

  #position(place: number): [number, number, number] {
    const { positions } = this.#options.cloud;
    return [positions[3 * place] ?? 0, positions[3 * place + 1] ?? 0, positions[3 * place + 2] ?? 0];
  }

  /** Few points are large; they grow a little as one comes nearer. */
  #pointSize(): number {
    const n = this.#options.cloud.count;
    const plain = n < 500 ? 9 : n < 5000 ? 6 : n < 50_000 ? 4 : n < 300_000 ? 3 : 2;
    return Math.min(12, plain * Math.max(1, 1 + 0.35 * (this.#view.zoom - this.#wholeZoom())));
  }

  setTheme(theme: ThemeName): void {
    this.#theme = theme;
    this.update();
  }

  setLines(lines: readonly { from: number; to: number }[]): void {
    this.#lines = lines;
    this.update();
  }

  setThumbnails(on: boolean): void {
    this.#thumbnails = on;
    this.#later();
  }

  /** The look was painted anew; thumbnails have frames of it. */
  repaint(): void {
    this.#placeSprites();
    this.update();
  }

  // ---- the view ----

  #go(view: ViewState): void {
    this.#view = { ...view, zoom: Math.min(view.zoom, MAX_ZOOM) };
    this.#moving = true;
    this.#setHover(-1, 0, 0);
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#moving = false;
      this.#lastFrame = 0;
      this.repaint();
    }, REST_MS);
    this.#deck.setProps({ viewState: this.#view as never });
    this.update();
  }

  #afterFrame(): void {
    const now = performance.now();
    const took = now - this.#lastFrame;
    if (this.#moving && this.#lastFrame > 0 && took < 1000) {
      const { count } = this.#options.cloud;
      if (took > 90) this.#budget = Math.max(LEAST, Math.min(this.#budget, count) * 0.75);
      else if (took < 55 && this.#budget < count) this.#budget *= 1.1;
    }
    this.#lastFrame = now;
    const snap = this.#snap;
    this.#snap = undefined;
    snap?.(this.#canvas);
  }

  #later(): void {
    if (this.#moving) return; // it comes when the view rests
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.repaint(), 30);
  }

  /** The zoom that has all of [-1, 1] on the canvas. */
  #wholeZoom(): number {
    return Math.log2((Math.min(this.#canvas.clientWidth, this.#canvas.clientHeight) || 600) / 2.2);
  }

  /** Shows these points, or all, as large as they fit. */
  fit(places?: ArrayLike<number>, smooth = true): void {
    const { count } = this.#options.cloud;
    const n = places?.length ? places.length : count;
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    for (let i = 0; i < n; i++) {
      const at = this.#position(places?.length ? (places[i] ?? 0) : i);
      for (let d = 0; d < 3; d++) {
        low[d] = Math.min(low[d] ?? 0, at[d] ?? 0);
        high[d] = Math.max(high[d] ?? 0, at[d] ?? 0);
      }
    }
    const wide = (d: number) => Math.max((high[d] ?? 0) - (low[d] ?? 0), 0.02);
    const middle = [0, 1, 2].map((d) => ((high[d] ?? 0) + (low[d] ?? 0)) / 2) as [number, number, number];
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const zoom = this.flat
      ? Math.log2(Math.min((width - 2 * SIDE_PX) / wide(0), (height - SIDE_PX) / wide(1)))
      : Math.log2((Math.min(width, height) * 0.75) / Math.max(wide(0), wide(1), wide(2)));
    const whole = !places?.length;
    this.#whole = whole;
    this.#fly(
      {
        target: middle,
        zoom: Math.min(zoom, MAX_ZOOM - 4),
        rotationX: whole ? 20 : this.#view.rotationX,
        rotationOrbit: whole ? 30 : this.#view.rotationOrbit,
      },
      smooth,
    );
  }

  #fly(to: ViewState, smooth = true): void {
    cancelAnimationFrame(this.#tween);
    if (!smooth || this.#options.reducedMotion) {
      this.#go({ ...this.#view, ...to });
      return;
    }
    const from = this.#view;
    const began = performance.now();
    const step = () => {
      const part = Math.min(1, (performance.now() - began) / 150);
      const ease = part * (2 - part);
      const between = (a: number, b: number) => a + (b - a) * ease;
      this.#go({
        ...from,
        target: from.target.map((at, d) => between(at, to.target[d] ?? 0)) as ViewState['target'],
        zoom: between(from.zoom, to.zoom),
        rotationX: between(from.rotationX, to.rotationX),
        rotationOrbit: between(from.rotationOrbit, to.rotationOrbit),
      });
      if (part < 1) this.#tween = requestAnimationFrame(step);
    };
    step();
  }

  zoomBy(steps: number): void {
    this.#whole = false;
    this.#fly({ ...this.#view, zoom: Math.min(MAX_ZOOM, this.#view.zoom + steps) });
  }

  /** By a part of the canvas. */
  panBy(right: number, up: number): void {
    const viewport = this.#viewport;
    if (!viewport) return;
    this.#whole = false;
    const { width, height } = viewport;
    const target = viewport.unproject([
      width * (0.5 + right),
      height * (0.5 - up),
      ...(this.flat ? [] : [toPixel(viewport.pixelProjectionMatrix, ...this.#view.target)[2]]),
    ]);
    this.#fly({ ...this.#view, target: [target[0] ?? 0, target[1] ?? 0, target[2] ?? 0] });
  }

  rotateBy(orbit: number, tilt: number): void {
    this.#whole = false;
    this.#fly({
      ...this.#view,
      rotationOrbit: this.#view.rotationOrbit + orbit,
      rotationX: Math.max(-90, Math.min(90, this.#view.rotationX + tilt)),
    });
  }

  /** Has this point in the middle. */
  centre(place: number): void {
    this.#whole = false;
    this.#fly({
      ...this.#view,
      target: this.#position(place),
      zoom: Math.max(this.#view.zoom, this.#wholeZoom() + 2),
    });
  }

  // ---- what lies where ----

  /** Of the canvas's pixels; undefined when it is not on the canvas. */
  pixelOf(place: number): [number, number] | undefined {
    const viewport = this.#viewport;
    if (!viewport) return undefined;
    const [x, y] = toPixel(viewport.pixelProjectionMatrix, ...this.#position(place));
    return x >= 0 && y >= 0 && x <= viewport.width && y <= viewport.height ? [x, y] : undefined;
  }

  /** The point under a pixel, or that near to it; -1: none. */
  at(x: number, y: number, radius = HOVER_PX): number {
    const viewport = this.#viewport;
    if (!viewport) return -1;
    const { cloud, look } = this.#options;
    const sprite = this.#spriteAt(viewport, x, y);
    if (sprite >= 0) return sprite;
    if (!this.flat)
      return nearestPixel(cloud.positions, viewport.pixelProjectionMatrix, x, y, radius, look.seen);
    this.#grid ??= new PlaneGrid(cloud.positions);
    const [worldX = 0, worldY = 0] = viewport.unproject([x, y]);
    return this.#grid.nearest(worldX, worldY, radius / 2 ** this.#view.zoom, look.seen);
  }

  #spriteAt(viewport: Viewport, x: number, y: number): number {
    if (!this.#thumbnails) return -1;
    // The last drawn lies on top.
    for (let i = this.#sprites.chosen.length - 1; i >= 0; i--) {
      const place = this.#sprites.chosen[i] ?? -1;
      const [u, v] = toPixel(viewport.pixelProjectionMatrix, ...this.#position(place));
      const [wide, high] = this.#sprites.halves[i] ?? [0, 0];
      if (Math.abs(u - x) <= wide && Math.abs(v - y) <= high) return place;
    }
    return -1;
  }

  /** What lies in a polygon of the canvas's pixels. */
  select(polygon: readonly (readonly [number, number])[]): Uint32Array {
    const viewport = this.#viewport;
    if (!viewport || polygon.length < 3) return new Uint32Array(0);
    const { cloud, look } = this.#options;
    const { pixelProjectionMatrix, width, height } = viewport;
    const began = performance.now();
    const test = new PolygonTest(polygon);
    const found = inPolygon(cloud.positions, pixelProjectionMatrix, width, height, test, look.state);
    this.#canvas.dataset['selectMs'] = String(performance.now() - began);
    return found;
  }

  /** What is on the canvas. */
  selectAll(): Uint32Array {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    return this.select([
      [-1, -1],
      [width + 1, -1],
      [width + 1, height + 1],
      [-1, height + 1],
    ]);
  }

  #placeSprites(): void {
    const viewport = this.#viewport;
    const { cloud, look } = this.#options;
    if (!this.#atlas || !viewport || !this.#thumbnails) return;
    const matrix = viewport.pixelProjectionMatrix;
    const inView: { place: number; x: number; y: number; depth: number }[] = [];
    const visit = (place: number, x: number, y: number, depth: number) => {
      if (inView.length <= SPRITES_AMONG && look.seen(place)) inView.push({ place, x, y, depth });
    };
    if (this.flat) {
      this.#grid ??= new PlaneGrid(cloud.positions);
      const [left = 0, high = 0] = viewport.unproject([0, 0]);
      const [right = 0, low = 0] = viewport.unproject([viewport.width, viewport.height]);
      for (const place of this.#grid.within(left, low, right, high, SPRITES_AMONG + 1)) {
        const [x, y, depth] = toPixel(matrix, ...this.#position(place));
        visit(place, x, y, depth);
      }
    } else {
      eachPixel(cloud.positions, matrix, viewport.width, viewport.height, visit);
    }
    const chosen = inView.length > SPRITES_AMONG ? [] : chooseSprites(inView, look);
    const slots = this.#atlas.want(chosen.map((place) => cloud.ids[place] ?? 0));
    this.#sprites = packSprites(
      chosen.map((place) => ({ place, id: cloud.ids[place] ?? 0 })),
      slots,
      (place) => this.#position(place),
      look.colors,
    );
  }

  // ---- the pointer ----

  #listen(): void {
    const { signal } = this.#end;
    const canvas = this.#canvas;
    const here = (event: PointerEvent) => {
      const box = canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    let down: { x: number; y: number } | undefined;
    let asked = 0;
    canvas.addEventListener(
      'pointermove',
      (event) => {
        this.#hoverAt = here(event);
        if (event.buttons || event.pointerType === 'touch' || asked) return;
        asked = requestAnimationFrame(() => {
          asked = 0;
          if (this.#hoverAt && !this.#moving)
            this.#setHover(this.at(this.#hoverAt.x, this.#hoverAt.y), this.#hoverAt.x, this.#hoverAt.y);
        });
      },
      { signal },
    );
    canvas.addEventListener('pointerleave', () => this.#setHover(-1, 0, 0), { signal });
    canvas.addEventListener('pointerdown', (event) => (down = event.button === 0 ? here(event) : undefined), {
      signal,
    });
    canvas.addEventListener(
      'pointerup',
      (event) => {
        const up = here(event);
        if (down && Math.hypot(up.x - down.x, up.y - down.y) < 5)
          this.#options.onPick(this.at(up.x, up.y), event.shiftKey || event.ctrlKey || event.metaKey);
        down = undefined;
      },
      { signal },
    );
  }

  #setHover(place: number, x: number, y: number): void {
    if (place === this.#hover) return;
    this.#hover = place;
    this.#options.onHover(place, x, y);
  }

  // ---- the rest ----

  /** The view as a picture, with the surface below it. */
  async picture(draw: (context: CanvasRenderingContext2D) => void): Promise<Blob | null> {
    this.#moving = false;
    const copy = document.createElement('canvas');
    const context = copy.getContext('2d');
    if (!context) return null;
    await new Promise<void>((resolve) => {
      this.#snap = (canvas) => {
        copy.width = canvas.width;
        copy.height = canvas.height;
        const [r, g, b] = surfaceOf(this.#theme).back;
        context.fillStyle = `rgb(${r} ${g} ${b})`;
        context.fillRect(0, 0, copy.width, copy.height);
        context.drawImage(canvas, 0, 0);
        resolve();
      };
      this.update();
      this.#deck.redraw('picture');
    });
    const ratio = copy.width / Math.max(1, this.#canvas.clientWidth);
    context.scale(ratio, ratio);
    draw(context);
    return new Promise((resolve) => copy.toBlob(resolve, 'image/png'));
  }

  destroy(): void {
    this.#end.abort();
    clearTimeout(this.#rest);
    cancelAnimationFrame(this.#tween);
    this.#atlas?.destroy();
    this.#deck.finalize();
    this.#device?.destroy();
  }
}
