import { describePackageLife } from '../support/package-life.ts';

// In one file and so one after the other: two systems at a time are enough for a small machine.
describePackageLife('bookworm');
describePackageLife('trixie');
