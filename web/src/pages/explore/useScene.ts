/* Keeps the scene in step with what React knows. */
import { useEffect, useRef, useState, type RefObject } from 'react';
import type { Cloud } from './engine/cloud';
import type { Coloring } from './engine/coloring';
import { Look, type ThemeName } from './engine/look';
import { Scene } from './engine/Scene';
import { previewsOf } from './data';

export interface Shown {
  coloring: Coloring | undefined;
  hits: ReadonlyMap<number, number> | undefined;
  chosen: Uint32Array;
  /** Positions of the categories that are hidden; NONE: those in none. */
  hidden: ReadonlySet<number>;
  lines: readonly { from: number; to: number }[];
  thumbnails: boolean;
  theme: ThemeName;
}

export interface Pointed {
  place: number;
  x: number;
  y: number;
  /** Of the canvas. */
  width: number;
  height: number;
}

interface Handlers {
  onHover: (pointed: Pointed | null) => void;
  onPick: (place: number, add: boolean) => void;
  onError: (error: Error) => void;
}

export function useScene(
  canvas: RefObject<HTMLCanvasElement | null>,
  cloud: Cloud | undefined,
  pictures: boolean,
  shown: Shown,
  handlers: Handlers,
): { scene: Scene | null; look: Look | null } {
  const [made, setMade] = useState<{ scene: Scene; look: Look } | null>(null);
  const latest = useRef(handlers);
  const theme = useRef(shown.theme);
  useEffect(() => {
    latest.current = handlers;
    theme.current = shown.theme;
  });

  useEffect(() => {
    const element = canvas.current;
    if (!element || !cloud) return;
    const look = new Look(cloud.count);
    look.paint('category', theme.current, false);
    const scene = new Scene(element, {
      cloud,
      look,
      theme: theme.current,
      previews: pictures ? previewsOf : undefined,
      reducedMotion: matchMedia('(prefers-reduced-motion: reduce)').matches,
      onHover: (place, x, y) =>
        latest.current.onHover(
          place < 0 ? null : { place, x, y, width: element.clientWidth, height: element.clientHeight },
        ),
      onPick: (place, add) => latest.current.onPick(place, add),
      onError: (error) => latest.current.onError(error),
    });
    setMade({ scene, look });
    return () => {
      setMade(null);
      scene.destroy();
    };
  }, [canvas, cloud, pictures]);

  const { coloring, hits, chosen, hidden, lines, thumbnails, theme: name } = shown;
  useEffect(() => {
    if (!made) return;
    const { look, scene } = made;
    if (coloring) look.values.set(coloring.values);
    look.mark(hits?.keys() ?? [], chosen, hidden);
    look.paint(coloring?.kind ?? 'category', name, (hits?.size ?? 0) > 0);
    scene.setTheme(name);
    scene.repaint();
  }, [made, coloring, hits, chosen, hidden, name]);
  useEffect(() => made?.scene.setLines(lines), [made, lines]);
  useEffect(() => made?.scene.setThumbnails(thumbnails), [made, thumbnails]);
  return made ?? { scene: null, look: null };
}
