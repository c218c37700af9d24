import { useLayoutEffect, useRef, useState } from "react";
import type { ReactNode } from "react";

interface LongListProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  /** Pixels of every row, which all have the same height. */
  readonly rowHeight: number;
  readonly keyOf: (item: Item) => string | number;
  readonly row: (item: Item) => ReactNode;
}

/** Rows beyond what is seen that are drawn, so that scrolling shows no gap. */
const BEYOND = 8;

/** A list of which only what is seen is drawn, however long it is. */
export function LongList<Item>({ label, items, rowHeight, keyOf, row }: LongListProps<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const look = (): void => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  const first = Math.max(0, Math.floor(seen.top / rowHeight) - BEYOND);
  const last = Math.min(items.length, Math.ceil((seen.top + seen.height) / rowHeight) + BEYOND);
  return (
    <div className="long-list" ref={box} tabIndex={0} role="region" aria-label={label}>
      <ol style={{ height: items.length * rowHeight }}>
        {items.slice(first, last).map((item, index) => (
          <li
            key={keyOf(item)}
            aria-posinset={first + index + 1}
            aria-setsize={items.length}
            style={{ transform: `translateY(${(first + index) * rowHeight}px)`, height: rowHeight }}
          >
            {row(item)}
          </li>
        ))}
      </ol>
    </div>
  );
}
