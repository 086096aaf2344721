import type { MediaFormat } from '../cache/media.ts';

interface Format {
  readonly kind: 'image' | 'video' | 'audio';
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
  svg: { kind: 'image', contentType: 'image/svg+xml' },
  mp3: { kind: 'audio', contentType: 'audio/mpeg' },
  m4a: { kind: 'audio', contentType: 'audio/mp4' },
  weba: { kind: 'audio', contentType: 'audio/webm' },
  ogg: { kind: 'audio', contentType: 'audio/ogg' },
  flac: { kind: 'audio', contentType: 'audio/flac' },
  wav: { kind: 'audio', contentType: 'audio/wav' },
};
