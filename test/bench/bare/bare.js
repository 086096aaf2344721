// One <video> that goes round, or one <img> that changes between pictures which are decoded already.
const files = location.search.slice(1).split(',');
if (files[0].endsWith('.mp4')) {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, loop: true, autoplay: true, src: files[0] });
  document.body.append(video);
} else {
  const image = document.createElement('img');
  const decoded = files.map((src) => Object.assign(new Image(), { src }));
  document.body.append(image);
  let turn = 0;
  Promise.all(decoded.map((picture) => picture.decode())).then(() => {
    setInterval(() => {
      image.src = files[turn++ % files.length];
    }, 500);
  });
}
