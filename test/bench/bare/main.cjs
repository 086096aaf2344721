// The least that shows a picture or a clip: one element in one page, for comparison. Arguments: a folder for the
// profile, pictures or a clip.
const { app, BrowserWindow, screen } = require('electron');

const [profile, ...files] = process.argv.slice(2);
app.setPath('userData', profile);
app.commandLine.appendSwitch('autoplay-policy', 'no-user-gesture-required');
app.whenReady().then(() => {
  const { width, height } = screen.getPrimaryDisplay().bounds;
  // Without a window manager Chromium shrinks a window of exactly the display's size by a pixel each way.
  const bounds = { x: 0, y: 0, width, height: height + 1 };
  const webPreferences = { backgroundThrottling: false };
  const window = new BrowserWindow({ ...bounds, frame: false, backgroundColor: '#000', webPreferences });
  window.loadFile('index.html', { search: files.join(',') });
});
