import Link from "next/link";
import { Button } from "./button";

export default function Page() {
  return (
    <main>
      <Button /> <Link href="/">again</Link>
    </main>
  );
}
