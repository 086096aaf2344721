import { describePackageLife } from '../support/package-life.ts';

describePackageLife('trixie');
