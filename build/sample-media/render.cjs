/** Main process of the painter, which finds its page in the folder and leaves the media there: `electron render.cjs --paint <folder> [scene…]`. */
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { app, BrowserWindow } = require('electron');

const framesPerSecond = 30;
const stills = ['welcome', 'wayfinding', 'strata', 'meridian'];
const clips = [
  {
    scene: 'tide',
    file: 'tide.mp4',
    seconds: 8,
    encoder: [
      '-c:v',
      'libx264',
      '-preset',
      'slow',
      '-crf',
      '32',
      '-tune',
      'animation',
      '-profile:v',
      'high',
      '-movflags',
      '+faststart',
    ],
  },
  {
    scene: 'orbit',
    file: 'orbit.webm',
    seconds: 6,
    encoder: ['-c:v', 'libvpx-vp9', '-b:v', '0', '-crf', '38', '-row-mt', '1', '-cpu-used', '2', '-g', '180'],
  },
];

const separator = process.argv.indexOf('--paint');
const [folder, ...wanted] = process.argv.slice(separator + 1);
const isWanted = (scene) => wanted.length === 0 || wanted.includes(scene);

async function encode(page, clip) {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgba', '-s', '1920x1080', '-r', String(framesPerSecond), '-i', '-'];
  const colours = ['-vf', 'scale=out_color_matrix=bt709:out_range=tv', '-pix_fmt', 'yuv420p', '-colorspace', 'bt709'];
  const tags = ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv', '-an', '-bitexact'];
  const file = join(folder, clip.file);
  const encoder = spawn('ffmpeg', ['-v', 'error', '-y', ...input, ...colours, ...tags, ...clip.encoder, file], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(encoder, 'close');
  const frames = clip.seconds * framesPerSecond;
  for (let index = 0; index < frames; index += 1) {
    const pixels = await page.executeJavaScript(`painter.frame(${JSON.stringify(clip.scene)}, ${index / frames})`);
    if (!encoder.stdin.write(Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength))) {
      await once(encoder.stdin, 'drain');
    }
  }
  encoder.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`ffmpeg ended with ${code} for ${clip.file}`);
}

async function run() {
  const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true, backgroundThrottling: false } });
  await window.loadFile(join(folder, 'painter.html'));
  const page = window.webContents;
  for (const scene of stills.filter(isWanted)) {
    const base64 = await page.executeJavaScript(`painter.still(${JSON.stringify(scene)})`);
    writeFileSync(join(folder, `${scene}.jpg`), Buffer.from(base64, 'base64'));
    process.stdout.write(`${scene}.jpg\n`);
  }
  for (const clip of clips.filter(({ scene }) => isWanted(scene))) {
    await encode(page, clip);
    process.stdout.write(`${clip.file}\n`);
  }
}

app
  .whenReady()
  .then(run)
  .then(
    () => app.exit(0),
    (error) => {
      process.stderr.write(`${error.stack}\n`);
      app.exit(1);
    },
  );
