/* The legend on an exported picture. */
import type { Coloring } from './engine/coloring';
import { categoryColor, scaleColor, surfaceOf, type ThemeName } from './engine/look';
import type { ColorBy } from './data';
import { css, nameOf, valueText } from './Legend';

const LINE = 20;

export function drawLegend(
  context: CanvasRenderingContext2D,
  title: string,
  by: ColorBy,
  coloring: Coloring | undefined,
  theme: ThemeName,
): void {
  context.font = '13px system-ui, sans-serif';
  context.textBaseline = 'middle';
  const text = css(surfaceOf(theme).chosen);
  context.fillStyle = text;
  context.fillText(title, 16, 20);
  if (coloring?.kind === 'category')
    coloring.categories.forEach(({ name }, i) => {
      const y = 20 + LINE * (i + 1);
      context.fillStyle = css(categoryColor(i, theme));
      context.beginPath();
      context.arc(22, y, 6, 0, 2 * Math.PI);
      context.fill();
      context.fillStyle = text;
      context.fillText(nameOf(by, name), 36, y);
    });
  if (coloring?.kind === 'scale') {
    for (let i = 0; i < 160; i++) {
      context.fillStyle = css(scaleColor(i / 159, theme));
      context.fillRect(16 + i, 34, 1.5, 10);
    }
    context.fillStyle = text;
    context.fillText(valueText(by, coloring.low), 16, 56);
    context.textAlign = 'right';
    context.fillText(valueText(by, coloring.high), 176, 56);
    context.textAlign = 'left';
  }
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
