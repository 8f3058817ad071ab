import { texts } from "@/messages";
import { CopyButton, type CopyTexts } from "./CopyButton";

/** Code as the build has written it: its text, and its HTML with a class for each token. */
export interface Snippet {
  readonly text: string;
  readonly html: string;
}

const common = texts("common");

/** The texts of a copy button, for parts that run in the browser. */
export const copyTexts: CopyTexts = { copy: common.copy, copied: common.copied, copyFailed: common.copyFailed };

/** Code with a button to copy it. */
export function Code({ of: snippet, label }: { of: Snippet; label?: string }) {
  return (
    <div className="code-box">
      <pre className="code" tabIndex={0} aria-label={label}>
        {/* The build has made this HTML from files of the repository. */}
        <code dangerouslySetInnerHTML={{ __html: snippet.html }} />
      </pre>
      <CopyButton text={snippet.text} labels={copyTexts} />
    </div>
  );
}
