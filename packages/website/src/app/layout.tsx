import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { Footer } from "@/components/Footer";
import { Header } from "@/components/Header";
import { Say } from "@/components/Say";
import { texts } from "@/messages";
import "./globals.css";

const common = texts("common");
const home = texts("home");

export const metadata: Metadata = {
  metadataBase: new URL("https://arcrun.dev"),
  title: { default: home.title.en, template: "%s · arcrun" },
  description: home.description.en,
  icons: { icon: "/favicon.svg" },
  openGraph: { type: "website", siteName: "arcrun", title: home.title.en, description: home.description.en },
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#ffffff" },
    { media: "(prefers-color-scheme: dark)", color: "#0b0c10" },
  ],
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    // public/boot.js sets language and theme before React is there.
    <html lang="en" suppressHydrationWarning>
      <head>
        <script src="/boot.js" />
        <noscript>
          <link rel="stylesheet" href="/noscript.css" />
        </noscript>
      </head>
      <body>
        <a className="skip" href="#content">
          <Say of={common.skip} />
        </a>
        <Header />
        <main id="content" tabIndex={-1}>
          {children}
        </main>
        <Footer />
      </body>
    </html>
  );
}
