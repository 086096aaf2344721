import { encode } from 'uqr';

/** Modules of white around a code (ISO/IEC 18004: at least four). */
const quietZone = 4;

/** One path for all dark modules: a run of them is one rectangle. */
function darkPath(rows: readonly (readonly boolean[])[]): string {
  return rows
    .flatMap((row, y) =>
      row.flatMap((dark, x) => {
        if (!dark || row[x - 1]) return [];
        const end = row.indexOf(false, x);
        const length = (end < 0 ? row.length : end) - x;
        return [`M${x + quietZone} ${y + quietZone}h${length}v1h${-length}z`];
      }),
    )
    .join('');
}

/** A QR code of an address, dark on light as scanners want it, with its quiet zone. */
export function QrCode({ address, label }: { readonly address: string; readonly label: string }) {
  const { data, size } = encode(address, { ecc: 'M', border: 0 });
  const side = size + 2 * quietZone;
  return (
    <svg className="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect className="qr-light" width={side} height={side} />
      <path className="qr-dark" d={darkPath(data)} />
    </svg>
  );
}
