import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pushes } from '../../../electron/ipc/contract.ts';
import { present } from '../../../electron/ipc/presenter.ts';
import { createSnapshotFeed } from '../../../electron/ipc/push.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { playingFacts, unknownFacts } from '../../support/screen-facts.ts';

function world() {
  const sent: [string, Pushes[keyof Pushes]][] = [];
  const { log, lines } = recordedLog();
  const feed = createSnapshotFeed(present(unknownFacts), (channel, payload) => void sent.push([channel, payload]), log);
  return { feed, sent, lines };
}

test('sends nothing when nothing has changed', () => {
  const { feed, sent, lines } = world();
  feed.publish(present(unknownFacts));
  feed.publish(present({ ...unknownFacts }));
  assert.deepEqual([sent, lines], [[], []]);
});

test('the newest snapshot is there to be asked for, also when it was only pushed', () => {
  const { feed, sent } = world();
  assert.equal(feed.current().state, 'starting');
  feed.publish(present(playingFacts));
  assert.equal(feed.current().state, 'playing');
  assert.deepEqual(sent, [['snapshot:changed', feed.current()]]);
});

test('a state is logged when it changes, not with every snapshot', () => {
  const { feed, sent, lines } = world();
  feed.publish(present(playingFacts));
  feed.publish(present({ ...playingFacts, hostname: 'other' }));
  feed.publish(present(unknownFacts));
  assert.equal(sent.length, 3);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).state),
    ['playing', 'starting'],
  );
});
