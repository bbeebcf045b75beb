import { Controller, Get, Header } from '@nestjs/common';
import { controllers } from './controllers.js';

/** Describes the API. What only this needs is loaded when somebody asks for it. */
@Controller()
export class DocsController {
  @Get('openapi.json')
  async openapi() {
    const { describeRoutes } = await import('./openapi.js');
    return describeRoutes(controllers);
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
  async docs() {
    const { docsPage } = await import('./docs-page.js');
    return docsPage(await this.openapi());
  }
}
