import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mediaFormats } from '../../../electron/cache/media.ts';
import { mediaHeaders, pageHeaders } from '../../../electron/sanitize/headers.ts';

const directives = (policy: string | undefined) =>
  new Map((policy ?? '').split('; ').map((text) => [text.split(' ')[0] ?? '', text.split(' ').slice(1).join(' ')]));

describe('headers', () => {
  it('serves no kind of file that the page does not have', () => {
    for (const name of ['app.js.map', 'index.htm', 'a.svg', 'constructor', 'x.__proto__', ''])
      assert.equal(pageHeaders(name), null);
  });

  it('lets the page load its own files, cached media and streams through main, and nothing else', () => {
    const policy = directives(pageHeaders('index.html')?.['content-security-policy']);
    assert.equal(policy.get('default-src'), "'none'");
    assert.equal(policy.get('script-src'), "'self'");
    assert.equal(policy.get('img-src'), 'player:');
    for (const name of ['frame-src', 'base-uri', 'form-action', 'frame-ancestors'])
      assert.equal(policy.get(name), "'none'", name);
    assert.equal(policy.get('require-trusted-types-for'), "'script'");
    assert.equal(policy.get('connect-src'), 'player://stream');
    assert.equal(policy.get('media-src'), 'player: blob:');
    for (const [name, sources] of policy) {
      assert.doesNotMatch(sources, /unsafe|\*|http|data:/);
      if (name !== 'media-src') assert.doesNotMatch(sources, /blob:/);
    }
  });

  it('says of every answer that its type is not to be guessed and that nothing is to be told of it', () => {
    const all = [
      ...['index.html', 'app.js', 'app.css', 'inter.woff2'].map(pageHeaders),
      ...mediaFormats.map(mediaHeaders),
    ];
    for (const headers of all) {
      assert.equal(headers?.['x-content-type-options'], 'nosniff');
      assert.equal(headers?.['referrer-policy'], 'no-referrer');
      assert.match(headers?.['content-type'] ?? '', /^(text|font|image|video|audio)\//);
      assert.match(headers?.['content-security-policy'] ?? '', /^default-src 'none'/);
    }
  });

  it('gives media the type of their content, byte ranges and no rights', () => {
    const headers = mediaHeaders('webp');
    assert.equal(headers['content-type'], 'image/webp');
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox");
  });
});
