/* A sign for what is no picture, by its type and the ending of its name. */
import {
  Box,
  Database,
  File,
  FileArchive,
  FileCode,
  FileText,
  FileVideo,
  Image,
  Music,
  type LucideIcon,
} from 'lucide-react';
import { createElement } from 'react';

const TYPES: Record<string, LucideIcon> = {
  image: Image,
  document: FileText,
  dataset: Database,
  model: Box,
  video: FileVideo,
};

const ENDINGS: readonly (readonly [RegExp, LucideIcon])[] = [
  [/\.(pdf|txt|md|docx?|odt|rtf)$/i, FileText],
  [/\.(csv|tsv|parquet|jsonl|npy|npz|h5|xlsx?)$/i, Database],
  [/\.(onnx|pt|pth|safetensors|gguf|tflite)$/i, Box],
  [/\.(mp4|mov|mkv|webm|avi)$/i, FileVideo],
  [/\.(mp3|wav|flac|ogg)$/i, Music],
  [/\.(zip|tar|gz|7z|xz|zst)$/i, FileArchive],
  [/\.(json|ya?ml|xml|html?|js|ts|py|c|h|sh|toml)$/i, FileCode],
];

export function FileSign({
  type,
  name,
  ...look
}: {
  type: string;
  name: string;
  size: number;
  strokeWidth: number;
}) {
  const sign = TYPES[type] ?? ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? File;
  return createElement(sign, { ...look, 'aria-hidden': true });
}
