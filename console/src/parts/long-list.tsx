import { useLayoutEffect, useRef, useState } from "react";
import type { ReactNode } from "react";

interface LongListProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  /** Pixels of every row, which all have the same height. */
  readonly rowHeight: number;
  readonly keyOf: (item: Item) => string | number;
  readonly renderRow: (item: Item) => ReactNode;
}

/** Rows beyond what is seen that are drawn, so that scrolling shows no gap. */
const BEYOND = 8;

/** The row at the top of what is seen, and how many pixels of it are above. */
interface Anchor {
  readonly key: string | number;
  readonly above: number;
}

/**
 * A list of which only what is seen is drawn, however long it is. Whoever has scrolled down goes on seeing the same rows while
 * others come above them.
 */
export function LongList<Item>({ label, items, rowHeight, keyOf, renderRow }: LongListProps<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const anchor = useRef<Anchor>(undefined);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const look = (element: HTMLDivElement): void => {
    const { scrollTop: top, clientHeight: height } = element;
    const item = items[Math.floor(top / rowHeight)];
    anchor.current =
      top === 0 || item === undefined ? undefined : { key: keyOf(item), above: top % rowHeight };
    setSeen((was) => (was.top === top && was.height === height ? was : { top, height }));
  };
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() =>
      setSeen({ top: element.scrollTop, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    const held = anchor.current;
    if (element === null || held === undefined) return;
    const at = items.findIndex((item) => keyOf(item) === held.key);
    const top = at * rowHeight + held.above;
    if (at < 0 || Math.abs(top - element.scrollTop) < 1) return;
    element.scrollTop = top;
    look(element);
  });
  const first = Math.max(0, Math.floor(seen.top / rowHeight) - BEYOND);
  const last = Math.min(items.length, Math.ceil((seen.top + seen.height) / rowHeight) + BEYOND);
  return (
    <div
      className="long-list"
      ref={box}
      tabIndex={0}
      role="region"
      aria-label={label}
      onScroll={(event) => look(event.currentTarget)}
    >
      <ol style={{ height: items.length * rowHeight }}>
        {items.slice(first, last).map((item, index) => (
          <li
            key={keyOf(item)}
            aria-posinset={first + index + 1}
            aria-setsize={items.length}
            style={{ transform: `translateY(${(first + index) * rowHeight}px)`, height: rowHeight }}
          >
            {renderRow(item)}
          </li>
        ))}
      </ol>
    </div>
  );
}
