import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFolders, realFiles } from '../../../electron/cache/folders.ts';
import { emptyIndex } from '../../../electron/cache/index-file.ts';
import { createStock, recordKey } from '../../../electron/cache/stock.ts';
import { picture, StoreBench, sha256, wanting } from '../../support/cache-store.ts';

const bytes = picture('aaaaaaaa');
const nameless = wanting(bytes, { sha256: null, md5: null, sizeBytes: null });

describe('what an asset without a digest turned out to be', () => {
  it('is recorded by what its playlist says of the content, the strongest first', () => {
    const names = [
      nameless,
      { ...nameless, sizeBytes: 12 },
      { ...nameless, sizeBytes: 13 },
      { ...nameless, md5: '0'.repeat(32) },
      { ...nameless, md5: '1'.repeat(32) },
    ].map(recordKey);
    assert.equal(new Set(names).size, names.length);
    const md5 = { ...nameless, md5: '0'.repeat(32) };
    assert.equal(recordKey({ ...md5, sizeBytes: 12 }), recordKey(md5), 'a digest says all');
  });

  it('is forgotten for addresses that nobody asks for any more, and for no others', async (test) => {
    const { directory } = await StoreBench.create(test);
    const index = emptyIndex();
    const stock = createStock(index, createFolders(directory, realFiles), realFiles, { budgetBytes: 1_000 }, () => 0);
    const entry = { format: 'png', chunks: Buffer.alloc(0), lastUsedMs: 0, verifiedMs: 0 } as const;
    stock.set(sha256(bytes), { ...entry, sizeBytes: bytes.length });
    const signed = (n: number) => ({ ...nameless, url: `https://media.example/a?signature=${n}` });
    stock.record(recordKey(nameless), sha256(bytes));
    for (let n = 0; n < 25_000; n++) {
      stock.record(recordKey(signed(n)), sha256(bytes));
      assert.equal(stock.find(nameless)?.hash, sha256(bytes));
    }
    assert.equal(index.recorded.size, 20_000);
    assert.equal(stock.find(signed(0)), null);
    assert.equal(stock.find(signed(9_999))?.hash, sha256(bytes));
  });
});
