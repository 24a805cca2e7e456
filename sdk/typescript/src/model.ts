/* What jobs, events and products look like, as the helpers give them. */

export type JobStatus = 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'dead';

export interface Job {
  id: number;
  type: string;
  status: JobStatus;
  project_id: number;
  user_id: number;
  priority: number;
  attempts: number;
  max_attempts: number;
  cancel_requested: boolean;
  /** Why the last attempt failed; empty when it did not. */
  error: string;
  params: Record<string, unknown>;
  result: unknown;
  progress: { done: number; total: number };
  created_at: string | null;
  run_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  /** Of an export that is completed: a signed link. */
  download_url?: string;
}

export interface NewJob {
  type: string;
  params?: Record<string, unknown>;
  project_id?: number;
  /** From -100 to 100; larger runs sooner. */
  priority?: number;
  max_attempts?: number;
  /** Unix time in seconds. */
  run_at?: number;
}

export interface NewExport {
  project_id?: number;
  where?: string;
  title?: string;
  originals?: boolean;
  thumbnails?: boolean;
  vectors?: boolean;
  manifests?: string[];
}

export interface JobQuery {
  type?: string;
  status?: JobStatus;
  project_id?: number;
  limit?: number;
}

export interface JobLine {
  id: number;
  at: string | null;
  level: string;
  text: string;
}

export interface JobState {
  status: JobStatus;
  done: number;
  total: number;
}

/** What a job's log tells: a line, or that its state or progress is another. */
export type JobNews = ({ kind: 'log' } & JobLine) | ({ kind: 'status' } & JobState);

export interface MagpieEvent {
  /** Grows; to be given as `after` when listening is taken up again. */
  id: number;
  /** As image.added. */
  type: string;
  at: string | null;
  /** 0: of none. */
  project_id: number;
  /** 0: of the system. */
  user_id: number;
  /** What it is about: an id, a name. */
  subject: string;
  data: unknown;
}

export interface Product {
  id: number;
  project_id: number;
  external_id: string;
  title: string;
  description: string;
  category: string;
  /** Decimal text, so that no cent is lost. */
  price: string | null;
  currency: string;
  image_url: string;
  metadata: Record<string, unknown>;
  image_id: string | null;
  preview_url: string | null;
  index_state: 'none' | 'queued' | 'indexed' | 'failed';
  index_error: string;
  created_at: string | null;
  updated_at: string | null;
}

export interface ProductQuery {
  project_id?: number;
  external_id?: string;
  category?: string;
  has_picture?: 'any' | 'yes' | 'no';
  sort?: 'id' | 'title' | 'price' | 'created' | 'updated';
  order?: 'asc' | 'desc';
  limit?: number;
}
