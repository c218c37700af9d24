import { useId } from "react";
import type { KeyboardEvent } from "react";
import { formatBytes } from "../../parts/words.ts";
import { TONE_WORDS } from "./vessel.ts";
import type { Layer } from "./vessel.ts";

interface VesselColumnProps {
  /** `gpu0 as planned`. */
  readonly label: string;
  readonly word: string;
  readonly layers: readonly Layer[];
  readonly capacity: number;
  readonly chosen: number | undefined;
  readonly choose: (layer: number | undefined) => void;
}

/** Layers of which a name still fits beside. */
const ROOM_FOR_NAME = 0.09;

/** One column of a vessel: layers from the bottom up, one of which can be chosen by pointing or with the arrow keys. */
export function VesselColumn({ label, word, layers, capacity, chosen, choose }: VesselColumnProps) {
  const id = useId();
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(layers.length - 1, (chosen ?? (step > 0 ? -1 : layers.length)) + step)));
  };
  return (
    <div className="vessel-column">
      <div
        className="vessel-glass"
        role="listbox"
        tabIndex={0}
        aria-label={label}
        aria-activedescendant={chosen === undefined ? undefined : `${id}-${chosen}`}
        onKeyDown={onKeyDown}
        onFocus={() => choose(chosen ?? 0)}
        onBlur={() => choose(undefined)}
        onPointerLeave={() => choose(undefined)}
      >
        {layers.map((layer, index) => (
          <div
            key={`${layer.of} ${layer.tone}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            aria-label={sayLayer(layer, capacity)}
            className={`layer segment-${layer.tone}`}
            style={{ height: `${(layer.bytes / capacity) * 100}%` }}
            onPointerEnter={() => choose(index)}
          >
            {namesService(layer, layers[index - 1]) &&
              blockShare(layers, index, capacity) > ROOM_FOR_NAME && (
                <span className="layer-name">{layer.of}</span>
              )}
          </div>
        ))}
      </div>
      <span className="vessel-word">{word}</span>
    </div>
  );
}

/** `chat: KV cache 2.13 GiB, 9 % of it`. */
export function sayLayer({ of, tone, bytes, note }: Layer, capacity: number): string {
  const whose = tone === "free" ? "free" : `${of}: ${TONE_WORDS[tone]}`;
  const share = ((bytes / capacity) * 100).toFixed(1);
  return `${whose} ${formatBytes(bytes)}, ${share} %${note === undefined ? "" : ` (${note})`}`;
}

const SERVICE_TONES: ReadonlySet<Layer["tone"]> = new Set(["weights", "kv", "compute", "overhead", "held"]);

/** The lowest layer of a service carries its name. */
const namesService = (layer: Layer, below: Layer | undefined): boolean =>
  SERVICE_TONES.has(layer.tone) && below?.of !== layer.of;

function blockShare(layers: readonly Layer[], first: number, capacity: number): number {
  const of = layers[first]?.of;
  return layers.reduce((sum, layer) => (layer.of === of ? sum + layer.bytes : sum), 0) / capacity;
}
