// The least that an Electron application needs to fill the display with a picture.
const { app, BrowserWindow, screen } = require('electron');
const path = require('node:path');

app.setPath('userData', path.join(__dirname, 'profile'));
app.whenReady().then(() => {
  const { width, height } = screen.getPrimaryDisplay().bounds;
  const window = new BrowserWindow({
    x: 0,
    y: 0,
    width,
    height,
    frame: false,
    fullscreen: true,
    backgroundColor: '#000',
  });
  window.loadFile('index.html');
});
