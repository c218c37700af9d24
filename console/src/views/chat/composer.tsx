import { useRef, useState } from "react";
import type { FormEvent, KeyboardEvent } from "react";
import { messageOf } from "../../api/api-error.ts";
import { Button } from "../../parts/button.tsx";
import type { ChatModel } from "./chat-models.ts";
import { say, stopAnswers } from "./chat-store.ts";
import { shrinkImage } from "./request/shrink-image.ts";
import type { Lane } from "./thread.ts";
import { isOpen } from "./turn.ts";

interface ComposerProps {
  readonly lanes: readonly Lane[];
  readonly models: readonly ChatModel[];
  readonly imageModels: ReadonlySet<string>;
}

/** Pictures that go with one question. */
const MOST_IMAGES = 6;

/** Where the next question is written. Enter asks, Shift and Enter begin a line, Escape stops the answer. */
export function Composer({ lanes, models, imageModels }: ComposerProps) {
  const [text, setText] = useState("");
  const [images, setImages] = useState<readonly string[]>([]);
  const [fault, setFault] = useState<string>();
  const busy = lanes.some(({ turns }) => turns.some((turn) => turn.role === "assistant" && isOpen(turn)));
  const names = lanes.map(({ model }) => model);
  const vision = names.every((name) => models.find((model) => model.name === name)?.vision === true);
  const painting = names.some((name) => imageModels.has(name));
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (busy || (text.trim() === "" && images.length === 0)) return;
    say(text.trim(), vision ? images : [], imageModels);
    setText("");
    setImages([]);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && busy) stopAnswers();
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  const attach = (files: readonly File[]): void => {
    setFault(undefined);
    Promise.all(files.slice(0, MOST_IMAGES).map(shrinkImage)).then(
      (added) => setImages((before) => [...before, ...added].slice(0, MOST_IMAGES)),
      (thrown: unknown) => setFault(messageOf(thrown)),
    );
  };
  return (
    <form className="composer" onSubmit={submit}>
      {vision && <Attached images={images} setImages={setImages} />}
      {fault !== undefined && (
        <p className="wrong" role="alert">
          {fault}
        </p>
      )}
      <label className="unseen" htmlFor="chat-question">
        {painting ? "What the image shows" : "Question"}
      </label>
      <textarea
        id="chat-question"
        rows={Math.min(8, Math.max(2, text.split("\n").length))}
        value={text}
        placeholder={painting ? "What the image shows" : `Ask ${names.join(" and ")}`}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={key}
      />
      <div className="composer-actions">
        {vision && <AttachButton attach={attach} />}
        <small className="quiet">Enter asks, Shift+Enter begins a line. It stays in this tab.</small>
        {busy ? (
          <Button tone="danger" onPress={stopAnswers}>
            Stop
          </Button>
        ) : (
          <Button tone="primary" submit disabled={text.trim() === "" && images.length === 0}>
            {painting ? "Make" : "Ask"}
          </Button>
        )}
      </div>
    </form>
  );
}

function AttachButton({ attach }: { readonly attach: (files: readonly File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label="Pictures"
        onChange={(event) => {
          attach([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <Button onPress={() => input.current?.click()}>Picture</Button>
    </>
  );
}

interface AttachedProps {
  readonly images: readonly string[];
  readonly setImages: (images: readonly string[]) => void;
}

const Attached = ({ images, setImages }: AttachedProps) => (
  <div className="pictures">
    {images.map((source, index) => (
      <button
        type="button"
        key={source}
        aria-label={`Take picture ${index + 1} away`}
        onClick={() => setImages(images.filter((one) => one !== source))}
      >
        <img src={source} alt="" />
        <span aria-hidden="true">×</span>
      </button>
    ))}
  </div>
);
