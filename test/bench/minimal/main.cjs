// The least that an Electron application needs to fill the display with a picture.
const { app, BrowserWindow, screen } = require('electron');
const path = require('node:path');

app.setPath('userData', path.join(__dirname, 'profile'));
app.whenReady().then(() => {
  const { width, height } = screen.getPrimaryDisplay().bounds;
  // Without a window manager Chromium shrinks a window of exactly the display's size by a pixel each way.
  const bounds = { x: 0, y: 0, width, height: height + 1 };
  const window = new BrowserWindow({ ...bounds, frame: false, backgroundColor: '#000' });
  window.loadFile('index.html');
});
