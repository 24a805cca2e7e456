/* What is decided of clusters: which picture of each is kept, which go. Pure, so that it can be held to its word. */
import type { components } from '@magpie/client';

export type Member = components['schemas']['ClusterMember'];
export type Answer = components['schemas']['DedupAnswer'];
export type Kind = Answer['kind'];

export interface Cluster {
  /** Of its pictures: the same while they are the same. */
  key: string;
  members: readonly Member[];
  weakest: components['schemas']['ClusterInfo']['weakest'];
}

export interface Decision {
  keep: number;
  /** Pictures that stay beside it. */
  stay: readonly number[];
  state: 'open' | 'accepted' | 'left';
}
export type Decisions = Readonly<Record<string, Decision>>;

/** Clusters of an answer; several files of one picture count once, and what is alone now is none. */
export function clustersOf(answer: Pick<Answer, 'clusters' | 'cluster_info'>): Cluster[] {
  return answer.clusters.flatMap((list, i) => {
    const members = [...new Map(list.toReversed().map((one) => [one.id, one])).values()].toReversed();
    const weakest = answer.cluster_info[i]?.weakest;
    if (members.length < 2 || !weakest) return [];
    const key = members
      .map((one) => one.id)
      .sort((a, b) => a - b)
      .join('-');
    return [{ key, members, weakest }];
  });
}

/** Of the same picture one is enough; pictures that are only similar are all kept, until somebody says otherwise. */
export function suggestion(cluster: Cluster, kind: Kind): Decision {
  const keep = (cluster.members.find((one) => one.keep) ?? cluster.members[0])?.id ?? 0;
  const others = cluster.members.map((one) => one.id).filter((id) => id !== keep);
  return { keep, stay: kind === 'same' ? [] : others, state: 'open' };
}

export function decisionOf(cluster: Cluster, kind: Kind, decisions: Decisions): Decision {
  return decisions[cluster.key] ?? suggestion(cluster, kind);
}

export function goes(cluster: Cluster, { keep, stay }: Decision): Member[] {
  return cluster.members.filter((one) => one.id !== keep && !stay.includes(one.id));
}

export function savedBy(cluster: Cluster, decision: Decision): number {
  return goes(cluster, decision).reduce((sum, one) => sum + one.bytes, 0);
}

/** Another one is kept; the one that was is treated as the others are. */
export function keeping(decision: Decision, id: number): Decision {
  if (decision.keep === id) return decision;
  const rest = decision.stay.filter((one) => one !== id);
  // It was to be kept: whoever only swaps the two does not ask for the old one to stay, unless the new one stayed.
  return { ...decision, keep: id, stay: decision.stay.includes(id) ? [...rest, decision.keep] : rest };
}

export function toggled(decision: Decision, id: number): Decision {
  if (decision.keep === id) return decision;
  const { stay } = decision;
  return { ...decision, stay: stay.includes(id) ? stay.filter((one) => one !== id) : [...stay, id] };
}

// ---- rules ----

export type Keeper = 'suggested' | 'pixels' | 'bytes' | 'oldest' | 'newest';
export interface Rule {
  /** Only re-encoded or resized, as far as one can see. */
  exact: boolean;
  /** At least as sure. */
  score: number;
  keeper: Keeper;
}

const EXACT = new Set(['same bytes', 're-encoded', 'resized']);

function timeOf({ payload }: Member): number {
  const { taken_at, created_at } = payload as { taken_at?: string | null; created_at?: string };
  return Date.parse(taken_at ?? created_at ?? '') || 0;
}

const BETTER: Record<Exclude<Keeper, 'suggested'>, (one: Member) => number> = {
  pixels: (one) => one.width * one.height,
  bytes: (one) => one.bytes,
  oldest: (one) => -timeOf(one),
  newest: timeOf,
};

export function keeperBy(cluster: Cluster, keeper: Keeper): number {
  const suggested = suggestion(cluster, 'same').keep;
  if (keeper === 'suggested') return suggested;
  const worth = BETTER[keeper];
  // Of equals the suggested one, which comes first.
  return (
    cluster.members.reduce<Member | undefined>(
      (best, one) => (best === undefined || worth(one) > worth(best) ? one : best),
      undefined,
    )?.id ?? suggested
  );
}

/** What a rule decides of a cluster; null where it decides nothing. Links are known to the suggested picture: of two
 * others both have to be good enough. Pictures that somebody called different from the one that is kept stay. */
export function ruled(
  cluster: Cluster,
  rule: Rule,
  different: (a: number, b: number) => boolean,
): Decision | null {
  const suggested = suggestion(cluster, 'same').keep;
  const keep = keeperBy(cluster, rule.keeper);
  const good = (one: Member | undefined): boolean =>
    one !== undefined &&
    (one.id === suggested || (one.score >= rule.score && (!rule.exact || EXACT.has(one.reason))));
  if (!good(cluster.members.find((one) => one.id === keep))) return null;
  const stay = cluster.members
    .filter((one) => one.id !== keep && (!good(one) || different(one.id, keep)))
    .map((one) => one.id);
  return stay.length === cluster.members.length - 1 ? null : { keep, stay, state: 'accepted' };
}

// ---- the whole ----

export interface Sum {
  clusters: number;
  pictures: number;
  bytes: number;
}

export interface Chosen {
  keep: number;
  remove: number[];
}

export function choices(clusters: readonly Cluster[], kind: Kind, decisions: Decisions): Chosen[] {
  return clusters.flatMap((cluster) => {
    const decision = decisionOf(cluster, kind, decisions);
    const remove = decision.state === 'accepted' ? goes(cluster, decision).map((one) => one.id) : [];
    return remove.length ? [{ keep: decision.keep, remove }] : [];
  });
}

export function sumOf(clusters: readonly Cluster[], decide: (cluster: Cluster) => Decision | null): Sum {
  const sum = { clusters: 0, pictures: 0, bytes: 0 };
  for (const cluster of clusters) {
    const decision = decide(cluster);
    const going = decision ? goes(cluster, decision) : [];
    if (!going.length) continue;
    sum.clusters++;
    sum.pictures += going.length;
    sum.bytes += going.reduce((all, one) => all + one.bytes, 0);
  }
  return sum;
}
