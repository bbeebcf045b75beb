import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { auditPath, leafHash, rootOf, sha256, treeHash } from '../../src/audit/merkle.js';

/** Inputs and roots of the tests of the reference implementation of RFC 6962: certificate-transparency, merkletree/merkle_tree_test.cc */
const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = entries.map((hex) => leafHash(Buffer.from(hex, 'hex')));

it.each([...roots.entries()])('gives a tree of %d leaves the root of RFC 6962', (size, root) => {
  expect(treeHash(leaves.slice(0, size)).toString('hex')).toBe(root);
});

it('hashes the examples of RFC 6962, section 2.1.3, as it draws them', () => {
  const [a, b, c, d, e, f, j] = leaves as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
  const node = (left: Buffer, right: Buffer) => createHash('sha256').update('\u0001').update(left).update(right).digest();
  const [g, h, i] = [node(a, b), node(c, d), node(e, f)];
  const k = node(g, h);
  const seven = leaves.slice(0, 7);
  expect(treeHash(seven)).toEqual(node(k, node(i, j)));
  expect(auditPath(0, seven)).toEqual([b, h, node(i, j)]);
  expect(auditPath(3, seven)).toEqual([c, g, node(i, j)]);
  expect(auditPath(4, seven)).toEqual([f, j, k]);
  expect(auditPath(6, seven)).toEqual([i, k]);
});

const tree = fc
  .integer({ min: 2, max: 300 })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.integer({ min: 0, max: size - 1 }) }));
const manyLeaves = (size: number) => Array.from({ length: size }, (_, n) => leafHash(`leaf ${n}`));

it('leads from every leaf to the root, and from there only', () => {
  fc.assert(
    fc.property(tree, ({ size, index }) => {
      const all = manyLeaves(size);
      const path = auditPath(index, all);
      const root = treeHash(all);
      expect(rootOf(all[index]!, index, size, path)).toEqual(root);
      expect(rootOf(sha256('another'), index, size, path)).not.toEqual(root);
      expect(rootOf(all[index]!, (index + 1) % size, size, path)).not.toEqual(root);
      expect(rootOf(all[index]!, index, size, [...path, root])).toBeUndefined();
      expect(rootOf(all[index]!, index, size, path.slice(1))).toBeUndefined();
    }),
  );
});

it('knows no leaf beyond the last one', () => {
  expect(rootOf(leaves[0]!, 8, 8, auditPath(0, leaves))).toBeUndefined();
});
