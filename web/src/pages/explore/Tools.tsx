import {
  BoxSelect,
  Box,
  Download,
  Images,
  Lasso,
  Maximize,
  Move,
  Square,
  ZoomIn,
  ZoomOut,
  type LucideIcon,
} from 'lucide-react';
import { t } from '@/text';
import { IconButton } from '@/ui/Button';
import { cx } from '@/ui/cx';
import type { Tool } from './useRegion';

const TOOLS: [Tool, LucideIcon][] = [
  ['move', Move],
  ['box', BoxSelect],
  ['lasso', Lasso],
];

const BAR = 'pointer-events-auto flex flex-col rounded-md border border-line bg-surface shadow-sm';

function Toggle({
  icon,
  label,
  on,
  onClick,
}: {
  icon: LucideIcon;
  label: string;
  on: boolean;
  onClick: () => void;
}) {
  return (
    <IconButton
      icon={icon}
      label={label}
      aria-pressed={on}
      onClick={onClick}
      className={cx(on && 'bg-accent-soft text-accent')}
    />
  );
}

export interface ToolsProps {
  tool: Tool;
  onTool: (tool: Tool) => void;
  dims: 2 | 3;
  onDims: (dims: 2 | 3) => void;
  thumbnails: boolean | undefined;
  onThumbnails: (on: boolean) => void;
  onZoom: (steps: number) => void;
  onFit: () => void;
  onPicture: () => void;
}

export function Tools(props: ToolsProps) {
  const { tool, dims, thumbnails } = props;
  return (
    <div
      role="toolbar"
      aria-label={t('explore.tools')}
      aria-orientation="vertical"
      className="pointer-events-none absolute top-3 left-3 flex flex-col gap-2"
    >
      <div className={BAR}>
        {TOOLS.map(([name, icon]) => (
          <Toggle
            key={name}
            icon={icon}
            label={t(`explore.tool.${name}`)}
            on={tool === name}
            onClick={() => props.onTool(name)}
          />
        ))}
      </div>
      <div className={BAR}>
        <IconButton icon={ZoomIn} label={t('explore.zoomIn')} onClick={() => props.onZoom(0.7)} />
        <IconButton icon={ZoomOut} label={t('explore.zoomOut')} onClick={() => props.onZoom(-0.7)} />
        <IconButton icon={Maximize} label={t('explore.fit')} onClick={props.onFit} />
      </div>
      <div className={BAR}>
        <IconButton
          icon={dims === 2 ? Box : Square}
          label={dims === 2 ? t('explore.space') : t('explore.plane')}
          onClick={() => props.onDims(dims === 2 ? 3 : 2)}
        />
        {thumbnails !== undefined && (
          <Toggle
            icon={Images}
            label={t('explore.thumbnails')}
            on={thumbnails}
            onClick={() => props.onThumbnails(!thumbnails)}
          />
        )}
        <IconButton icon={Download} label={t('explore.picture')} onClick={props.onPicture} />
      </div>
    </div>
  );
}
