// A browser for the operator: one window of Electron's engine with its sandbox, on a server whose authority is given.
const { X509Certificate } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { app, BrowserWindow, session } = require('electron');

const [address, authorityFile, profile] = process.argv.slice(-3);
const authority = new X509Certificate(readFileSync(authorityFile));
app.setPath('userData', profile);
app.whenReady().then(() => {
  session.defaultSession.setCertificateVerifyProc(({ hostname, certificate }, answer) => {
    const shown = new X509Certificate(certificate.data);
    const isOurs = shown.verify(authority.publicKey) && shown.checkHost(hostname) !== undefined;
    answer(isOurs ? 0 : -202);
  });
  const window = new BrowserWindow({ width: 1100, height: 900, useContentSize: true });
  window.loadURL(address);
});
