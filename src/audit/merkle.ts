import { createHash } from 'node:crypto';

/**
 * Merkle trees as RFC 6962 (Certificate Transparency), section 2.1, hashes them, with SHA-256. Leaves and nodes have different prefixes,
 * so that none can be passed off as the other; a tree whose size is no power of two is split at the largest one below it.
 */
export const sha256 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);

export const leafHash = (entry: Buffer | string): Buffer => sha256(leafPrefix, entry);
const nodeHash = (left: Buffer, right: Buffer): Buffer => sha256(nodePrefix, left, right);

/** MTH of RFC 6962, section 2.1, over leaves that are hashed already. */
export function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (!only) return sha256();
  if (leaves.length === 1) return only;
  const left = splitOf(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, left)), treeHash(leaves.slice(left)));
}

/** PATH of RFC 6962, section 2.1.1: what the leaf at `index` has to be hashed with to give the root, nearest first. */
export function auditPath(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const left = splitOf(leaves.length);
  return index < left
    ? [...auditPath(index, leaves.slice(0, left)), treeHash(leaves.slice(left))]
    : [...auditPath(index - left, leaves.slice(left)), treeHash(leaves.slice(0, left))];
}

/** The root that follows from a leaf and its path; undefined if a path of that length leads to no leaf of such a tree. */
export function rootOf(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer | undefined {
  if (index < 0 || index >= size) return undefined;
  if (size === 1) return path.length === 0 ? leaf : undefined;
  const sibling = path.at(-1);
  if (!sibling) return undefined;
  const left = splitOf(size);
  const below = path.slice(0, -1);
  const own = index < left ? rootOf(leaf, index, left, below) : rootOf(leaf, index - left, size - left, below);
  return own && (index < left ? nodeHash(own, sibling) : nodeHash(sibling, own));
}

/** The largest power of two that is smaller than `size`, which is 2 or more. */
const splitOf = (size: number): number => 2 ** Math.floor(Math.log2(size - 1));
