/** The operator console. Text goes into the page as text only; every call is checked by the server. */

const refreshMs = 3000;
const byId = (id) => document.getElementById(id);

/** Somebody else's words within a line of ours: they do not turn what stands around them (UAX #9, FSI and PDI). */
const quoted = (text) => `\u2068${text}\u2069`;

/** What is known of a device, in a line. */
const line = (...parts) => parts.filter(Boolean).map(quoted).join(' · ');

/** How the screen shows a fingerprint: the first 16 hex digits in groups of four. */
const shortFingerprint = (fingerprint) => fingerprint.slice(0, 16).match(/.{4}/g).join(' ');

/** Why a device's hardware was not verified, in words, by the code of the server. */
const reasons = {
  'attestation-absent': 'the device sent no proof',
  'attestation-required': 'the device sent no proof',
  'attestation-awaited': 'its proof has not come yet',
  'endorsement-untrusted': 'no pinned maker vouches for its TPM, and the chip is on no list',
  'endorsement-expired': 'its maker’s certificate is not valid at this time',
  'endorsement-mismatch': 'its certificate is that of another chip',
  'endorsement-purpose': 'its certificate is not one for an endorsement key',
  'endorsement-chain': 'an authority of its maker may not vouch for it',
  'endorsement-attributes': 'its endorsement key is not one of a TPM',
  'endorsement-changed': 'another chip than before',
  'attestation-key-attributes': 'its attestation key would sign anything',
  'attestation-key-changed': 'another attestation key than before',
  'key-attributes': 'its key could leave the TPM',
  'request-invalid': 'its certificate request does not parse',
  'request-signature': 'its certificate request is not signed by its key',
  'request-key-mismatch': 'its certificate request is for another key',
  'challenge-unknown': 'it answered what was not asked',
  'challenge-expired': 'its answer came too late',
  'secret-mismatch': 'its chip could not open the challenge',
  'signature-invalid': 'its proof is not signed by its attestation key',
  'attest-type': 'its proof is not a TPM’s word about a key',
  'attest-nonce': 'its proof was made for another challenge',
  'attest-name': 'its proof is about another key',
  'structure-invalid': 'its proof does not parse',
};

/** What an operator should know of a device's hardware. */
function hardwareText(identity) {
  if (identity === null) return 'Hardware identity not asked for';
  if (!identity.verified) {
    const words = Object.hasOwn(reasons, identity.code)
      ? `${reasons[identity.code]} (${identity.code})`
      : identity.code;
    return `Hardware identity not verified: ${words}`;
  }
  const chip = [identity.manufacturer, identity.model].filter(Boolean).map(quoted).join(', ');
  return `Hardware identity verified${chip === '' ? '' : ` (${chip})`}`;
}

function certificateText({ certificate_expires_at: end, issuer_problem: problem }) {
  if (problem !== null) return `no certificate: ${problem}`;
  return end === null ? 'its certificate is being issued' : `certificate until ${new Date(end).toLocaleDateString()}`;
}

function showHardware(item, identity) {
  const place = item.querySelector('[data-field="hardware"]');
  place.classList.toggle('verified', identity?.verified === true);
  place.classList.toggle('unverified', identity?.verified === false);
  return item;
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (response.status === 204) return null;
  const reply = await response.json();
  if (response.ok) return reply;
  throw Object.assign(new Error(reply.error.message), { status: response.status });
}

function notify(text, failed = false) {
  byId('notice').textContent = text;
  byId('notice').classList.toggle('failed', failed);
  byId('notice').hidden = false;
}

function showDesk(isLoggedIn) {
  byId('entrance').hidden = isLoggedIn;
  byId('desk').hidden = !isLoggedIn;
  byId('log-out').hidden = !isLoggedIn;
}

/** Do something for the operator, say what came of it, and show the new state. */
async function act(work, done) {
  try {
    await work();
    notify(done);
  } catch (error) {
    notify(error.message, true);
  }
  await refresh();
}

function row(templateId, fields, actions = {}) {
  const item = byId(templateId).content.firstElementChild.cloneNode(true);
  for (const [name, text] of Object.entries(fields)) {
    item.querySelector(`[data-field="${name}"]`).textContent = text;
  }
  for (const [name, action] of Object.entries(actions)) {
    item.querySelector(`[data-action="${name}"]`).addEventListener('click', action);
  }
  return item;
}

let waiting = [];
let shown = '';

function showMatch() {
  const pin = byId('claim').elements.pin.value.replace(/[\s-]/g, '').toUpperCase();
  const registration = waiting.find((candidate) => candidate.pin === pin);
  byId('match').hidden = registration === undefined;
  if (registration)
    byId('match').querySelector('.fingerprint').textContent = shortFingerprint(registration.fingerprint);
}

function choose(pin) {
  const { elements } = byId('claim');
  elements.pin.value = pin;
  elements.name.focus();
  showMatch();
}

/** Ask before a screen is removed: it goes dark at once. */
function remove({ id, name }) {
  const dialog = byId('removal');
  byId('removal-name').textContent = `Remove “${quoted(name)}”?`;
  dialog.returnValue = '';
  dialog.onclose = () => {
    if (dialog.returnValue !== 'remove') return;
    void act(() => call('DELETE', `/api/v3/screens/${id}/`), `${quoted(name)} was removed.`);
  };
  dialog.showModal();
}

const timeText = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

function show(registrations, refused, screens) {
  waiting = registrations;
  showMatch();
  // Rows are rebuilt only when something changed, so that the focus stays where it is.
  const state = JSON.stringify([registrations, refused, screens]);
  if (state === shown) return;
  shown = state;
  byId('pending').replaceChildren(
    ...registrations.map((registration) => {
      const expires = `until ${timeText(registration.expires_at)}`;
      const detail = line(registration.hostname, registration.hardware, expires);
      const hardware = hardwareText(registration.hardware_identity);
      const item = row(
        'pending-row',
        { pin: registration.pin, detail, hardware, fingerprint: shortFingerprint(registration.fingerprint) },
        {
          choose: () => choose(registration.pin),
          deny: () => act(() => call('DELETE', `/api/v3/registrations/${registration.id}/`), 'The screen was denied.'),
        },
      );
      return showHardware(item, registration.hardware_identity);
    }),
  );
  byId('refused').replaceChildren(
    ...refused.map((device) => {
      const identity = { verified: false, code: device.code };
      const fields = {
        hostname: device.hostname,
        detail: line(device.hardware, `at ${timeText(device.at)}`),
        hardware: hardwareText(identity),
        fingerprint: shortFingerprint(device.fingerprint),
      };
      return showHardware(row('refused-row', fields), identity);
    }),
  );
  byId('screens').replaceChildren(
    ...screens.map((screen) => {
      const item = row(
        'screen-row',
        {
          name: screen.name,
          detail: line(screen.hostname, certificateText(screen)),
          hardware: hardwareText(screen.hardware_identity),
          fingerprint: shortFingerprint(screen.fingerprint),
        },
        { remove: () => remove(screen) },
      );
      return showHardware(item, screen.hardware_identity);
    }),
  );
  byId('pending-count').textContent = registrations.length || '';
  byId('refused-count').textContent = refused.length || '';
  byId('refused-part').hidden = refused.length === 0;
  byId('screens-count').textContent = screens.length || '';
  byId('no-pending').hidden = registrations.length > 0;
  byId('no-screens').hidden = screens.length > 0;
}

async function refresh() {
  try {
    const [{ registrations, refused }, { screens }] = await Promise.all([
      call('GET', '/api/v3/registrations/'),
      call('GET', '/api/v3/screens/'),
    ]);
    showDesk(true);
    show(registrations, refused, screens);
  } catch (error) {
    if (error.status === 401) showDesk(false);
    else notify('The server does not answer.', true);
  }
}

byId('log-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  try {
    await call('POST', '/console/session', { token: form.elements.token.value.trim() });
    form.reset();
    byId('notice').hidden = true;
  } catch (error) {
    notify(error.message, true);
  }
  await refresh();
});

byId('log-out').addEventListener('click', async () => {
  await call('DELETE', '/console/session');
  await refresh();
});

byId('claim').addEventListener('input', showMatch);
byId('claim').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const name = form.elements.name.value.trim();
  void act(
    async () => {
      await call('POST', '/api/v3/screens/', { pin: form.elements.pin.value, name });
      form.reset();
    },
    `${quoted(name)} is claimed.`,
  );
});

const pinOfLink = new URLSearchParams(location.search).get('pin');
if (pinOfLink !== null) byId('claim').elements.pin.value = pinOfLink.slice(0, 6);

await refresh();
setInterval(() => {
  if (!byId('desk').hidden && !document.hidden) void refresh();
}, refreshMs);
