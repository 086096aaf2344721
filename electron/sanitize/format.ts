import type { MediaFormat } from '../cache/media.ts';

interface Format {
  readonly kind: 'image' | 'video';
  /** IANA media type that the file is served with, whatever its server called it. */
  readonly contentType: string;
}

/** Everything that may reach the page, and as what. */
export const formats: Readonly<Record<MediaFormat, Format>> = {
  jpeg: { kind: 'image', contentType: 'image/jpeg' },
  png: { kind: 'image', contentType: 'image/png' },
  webp: { kind: 'image', contentType: 'image/webp' },
  avif: { kind: 'image', contentType: 'image/avif' },
  gif: { kind: 'image', contentType: 'image/gif' },
  mp4: { kind: 'video', contentType: 'video/mp4' },
  webm: { kind: 'video', contentType: 'video/webm' },
};
