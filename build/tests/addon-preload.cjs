/**
 * `node --require` this file: the addon of node-tss is replaced by another build of it, which SIGNET_TEST_ADDON
 * names. Only tests are run so; the product has no way to load an addon from elsewhere.
 */
const path = require('node:path');
const process = require('node:process');

const product = path.join('native', 'build', 'Release', 'node_tss.node');
const load = process.dlopen;

process.dlopen = (module, filename, ...rest) => {
  const replacement = process.env.SIGNET_TEST_ADDON;
  return load(module, filename.endsWith(product) ? replacement : filename, ...rest);
};
