/** @typedef {import('./bill.mjs').Part} Part */

/**
 * The bill of materials, CycloneDX 1.5. Without a time and a random serial number: the same parts make the same text.
 * @param {{name: string, version: string, parts: readonly Part[]}} of
 */
export function billOfMaterials({ name, version, parts }) {
  const components = parts.map((part) => ({
    type: 'library',
    'bom-ref': part.purl,
    name: part.name,
    version: part.version,
    purl: part.purl,
    licenses: [/ (OR|AND) /.test(part.license) ? { expression: part.license } : { license: { id: part.license } }],
    ...(part.sha512 === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: part.sha512 }] }),
    properties: [{ name: 'signet:inclusion', value: part.note }],
  }));
  const main = { type: 'application', 'bom-ref': `${name}@${version}`, name, version };
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { ...main, licenses: [{ license: { id: 'Apache-2.0' } }] } },
    components,
    dependencies: [{ ref: main['bom-ref'], dependsOn: components.map((component) => component.purl) }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** A text as the value of a field in Debian's form. @param {string} text */
const folded = (text) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');

/**
 * The copyright file in Debian's machine-readable form 1.0.
 * @param {{name: string, parts: readonly Part[]}} of
 */
export function copyright({ name, parts }) {
  const doc = `/usr/share/doc/${name}`;
  const stanzas = [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: Signet Player',
    'Files: *\nCopyright: 2026 the Signet Player authors\nLicense: Apache-2.0',
    `Files: opt/signet-player/*\nCopyright: Electron contributors\n           2013-2020 GitHub Inc.\nLicense: Expat\n${folded(
      `See ${doc}/LICENSE.electron.txt.`,
    )}`,
    `Files: opt/signet-player/signet-player opt/signet-player/*.so* opt/signet-player/*.pak opt/signet-player/*.bin\nCopyright: The Chromium Authors and others\nLicense: BSD-3-clause-and-others\n${folded(
      `Every part of Chromium with its authors and terms is in\n${doc}/LICENSES.chromium.html.`,
    )}`,
  ];
  for (const part of parts.filter(({ text }) => text !== undefined)) {
    const authors = [...(part.text ?? '').matchAll(/^\W*(?:copyright|\(c\)).*$/gim)].map(([line]) => line.trim());
    stanzas.push(
      [
        `Files: opt/signet-player/resources/app.asar/${part.name}`,
        `Copyright: ${authors[0] ?? `the authors of ${part.name}`}`,
        `License: ${part.license.replaceAll(' ', '-')}-of-${part.name.replace(/[@/]/g, '')}`,
        folded(part.text ?? ''),
      ].join('\n'),
    );
  }
  stanzas.push(
    'Files: opt/signet-player/resources/app.asar.unpacked/*\nCopyright: 2026 the Signet Player authors\n           1998-2026 The OpenSSL Project Authors\nLicense: Apache-2.0',
    `License: Apache-2.0\n${folded('On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.')}`,
  );
  return `${stanzas.join('\n\n')}\n`;
}
