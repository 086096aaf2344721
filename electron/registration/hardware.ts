import { readFile } from 'node:fs/promises';
import type { Hardware } from './server.ts';

/** What the board says of itself through SMBIOS; empty where it says nothing or only root may read it. */
export async function readHardware(directory = '/sys/class/dmi/id'): Promise<Hardware> {
  const read = async (name: string) => {
    try {
      return (await readFile(`${directory}/${name}`, 'utf8'))
        .replaceAll(/[^\x20-\x7e]/g, '')
        .trim()
        .slice(0, 128);
    } catch {
      return '';
    }
  };
  return {
    manufacturer: await read('sys_vendor'),
    model: await read('product_name'),
    serial: await read('product_serial'),
    arch: process.arch,
  };
}
