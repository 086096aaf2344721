/** The product's mark: a signet ring seen from the front, its stone a seal. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 48 48" aria-hidden="true">
      <circle className="mark-ring" cx="24" cy="29" r="14.5" />
      <path className="mark-stone" d="M24 2.5 34.5 13 24 23.5 13.5 13Z" />
      <path className="mark-seal" d="M24 8.2 28.8 13 24 17.8 19.2 13Z" />
    </svg>
  );
}
