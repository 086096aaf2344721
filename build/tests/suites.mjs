import { electronBinary } from '../bootstrap/checkout.mjs';
import { runChaosSuite } from './chaos-suite.mjs';
import { runCheckSuite } from './check-suite.mjs';
import { runFuzzSuite } from './fuzz-suite.mjs';
import { runNodeSuite } from './node-suite.mjs';
import { runPackagedSuite } from './packaged-suite.mjs';
import { runPlaywrightSuite } from './playwright-suite.mjs';
import { runSanitizerSuite } from './sanitizer-suite.mjs';

const nativeFolders = ['native', 'interop'];
const minutes = 60_000;

/** Every suite of `npm test`, in the order in which they run. @type {readonly import('./outcome.mjs').Suite[]} */
export const suites = [
  { name: 'check', title: 'format, lint, types', limitMs: 5 * minutes, run: runCheckSuite },
  {
    name: 'unit',
    title: 'unit',
    limitMs: 10 * minutes,
    run: (context) => runNodeSuite({ name: 'unit', folders: ['unit'] }, context),
  },
  {
    name: 'native',
    title: 'native and interop, Node',
    limitMs: 10 * minutes,
    run: (context) => runNodeSuite({ name: 'native', folders: nativeFolders }, context),
  },
  {
    name: 'native-electron',
    title: 'native and interop, Electron',
    limitMs: 10 * minutes,
    run: (context) =>
      runNodeSuite(
        {
          name: 'native-electron',
          folders: nativeFolders,
          runtime: electronBinary,
          env: { ELECTRON_RUN_AS_NODE: '1' },
        },
        context,
      ),
  },
  {
    name: 'chaos',
    title: 'chaos: faults of sync, store, clock and network',
    limitMs: 15 * minutes,
    run: runChaosSuite,
  },
  { name: 'sanitizers', title: 'native with ASan and UBSan', limitMs: 10 * minutes, run: runSanitizerSuite },
  { name: 'fuzz', title: 'fuzzers, some seconds each', limitMs: 5 * minutes, run: runFuzzSuite },
  {
    name: 'mocked',
    title: 'page with a fake main',
    limitMs: 15 * minutes,
    run: (context) => runPlaywrightSuite('mocked', context),
  },
  {
    name: 'player',
    title: 'whole player',
    limitMs: 35 * minutes,
    run: (context) => runPlaywrightSuite('player', context),
  },
  {
    name: 'demo',
    title: 'npm start',
    limitMs: 5 * minutes,
    run: (context) => runNodeSuite({ name: 'demo', folders: ['demo'] }, context),
  },
  {
    name: 'packaged',
    title: 'packages in clean systems',
    asRoot: true,
    limitMs: 30 * minutes,
    run: runPackagedSuite,
  },
];
