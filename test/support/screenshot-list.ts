/** The screens that `npm run screenshots` photographs, by the name that they give themselves. */
export const shots = [
  'registering',
  'standby',
  'trouble',
  'starting',
  'operator-asking',
  'operator',
  'now-playing',
] as const;

export const shotSizes = [
  { name: '1080p', width: 1920, height: 1080 },
  { name: 'portrait', width: 1080, height: 1920 },
  { name: '720p', width: 1280, height: 720 },
] as const;

/** What is photographed at 1280×720 besides: the light theme, and a language that runs from right to left. */
export const lookShots = [
  { name: 'registering', suffix: 'light', look: { theme: 'light' } },
  { name: 'operator', suffix: 'light', look: { theme: 'light' } },
  { name: 'registering', suffix: 'arabic', look: { language: 'ar' } },
  { name: 'operator', suffix: 'arabic', look: { language: 'ar' } },
] as const;

/** Where the pictures are kept, relative to the repository. */
export const shotFolder = 'test/fixtures/screenshots';

/** Where a run puts them first: as root it is another user's, who may not write what root runs (`build/screenshots.mjs`). */
export const takenFolder = 'test-results/screenshots';
