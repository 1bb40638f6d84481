/** What fills the window below the header while its address is shown. */
export interface Page {
  readonly title: string;
  readonly element: HTMLElement;
  /** What its keys do, by `KeyboardEvent.key`. */
  readonly keys: Readonly<Record<string, () => void>>;
  leave(): void;
}
