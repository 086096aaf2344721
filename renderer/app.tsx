import '@fontsource-variable/inter/wght.css';
import './styles/base.css';
import './styles/display.css';
import './styles/stage.css';
import './styles/screens.css';
import './styles/card.css';
import './styles/registering.css';
import './styles/operator.css';
import { createRoot } from 'react-dom/client';
import { bridge } from './bridge.ts';
import { keepToDisplay } from './display.ts';
import { startHeartbeat } from './heartbeat.ts';
import { applyLook } from './look.ts';
import { setSound } from './media/sound.ts';
import { ignoreGestures } from './quiet.ts';
import { CoverScreen } from './screens/cover-screen.tsx';
import { OperatorOverlay } from './screens/operator-overlay.tsx';
import { Playing } from './screens/playing.tsx';
import { mirror, takeWords, useMirror } from './store.ts';
import { loadWords } from './words.ts';

const stopHeartbeat = startHeartbeat(bridge, () => {
  const { itemId, preparingId } = useMirror.getState().stage;
  return { itemId, preparingId };
});

// A page that has failed must not look alive: without a heartbeat main loads it anew.
window.addEventListener('error', stopHeartbeat);
window.addEventListener('unhandledrejection', stopHeartbeat);
ignoreGestures(window);
keepToDisplay(window);
useMirror.subscribe(({ snapshot }, before) => {
  if (snapshot === null || snapshot === before.snapshot) return;
  applyLook(document.documentElement, snapshot.look);
  setSound(snapshot.sound);
  if (snapshot.look.language !== before.snapshot?.look.language) void loadWords(snapshot.look.language).then(takeWords);
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root, { onUncaughtError: stopHeartbeat }).render(
  <>
    <CoverScreen />
    <Playing />
    <OperatorOverlay />
  </>,
);

await mirror(bridge);
