"""What is wrong with a SOAP message, and whose it is."""

from kumobashi.calls.errors import CallFailed, Side


class SoapFailed(CallFailed):
    """A SOAP message was refused."""

    code = "soap.failed"
    side = Side.ASKER


class EnvelopeUnreadable(SoapFailed):
    """The XML is no SOAP envelope that is taken: not well-formed, too deep, of another form."""

    code = "soap.envelope_unreadable"
    ja = "SOAP の電文を読めません（{reason}）。"
    en = "The SOAP message cannot be read: {reason}."
    remedy_ja = "SOAP 1.1 か 1.2 の Envelope に、Header（任意）と、1つの要素を入れた Body を1つだけ"
    remedy_ja += "置いて送ってください。"
    remedy_en = "Send an Envelope of SOAP 1.1 or 1.2 with at most one Header and one Body holding"
    remedy_en += " one element."


class DtdRefused(SoapFailed):
    """The message declares a document type; SOAP forbids it, and entities come by it."""

    code = "soap.dtd_refused"
    ja = "SOAP の電文に文書型宣言（DOCTYPE）や処理命令があります。読まずに断りました。"
    en = "The SOAP message has a document type or a processing instruction; it was not read."
    remedy_ja = "DOCTYPE と処理命令を外して送ってください（SOAP 1.2 第5章）。"
    remedy_en = "Send it without DOCTYPE and processing instructions (SOAP 1.2 part 1, 5)."


class CharsetRefused(SoapFailed):
    """Bytes, Content-Type and XML declaration do not agree on UTF-8 or UTF-16."""

    code = "soap.charset_refused"
    status = 415
    ja = "SOAP の電文の文字コードが違います（{reason}）。"
    en = "The character encoding of the SOAP message is wrong: {reason}."
    remedy_ja = "UTF-8 か UTF-16 で送り、Content-Type と XML 宣言を同じにしてください。"
    remedy_en = "Send UTF-8 or UTF-16, and say the same in Content-Type and XML declaration."


class VersionRefused(SoapFailed):
    """The envelope is of another version than the media type says, or of none that is known."""

    code = "soap.version_refused"
    ja = "SOAP の版と Content-Type が合いません（Content-Type {said}、Envelope {found}）。"
    en = "SOAP version and Content-Type disagree: Content-Type {said}, envelope {found}."
    remedy_ja = "SOAP 1.1 は text/xml、SOAP 1.2 は application/soap+xml で送ってください。"
    remedy_en = "Send SOAP 1.1 as text/xml and SOAP 1.2 as application/soap+xml."


class PartsUnreadable(SoapFailed):
    """A message with attachments is not as SwA has it."""

    code = "soap.parts_unreadable"
    ja = "添付のある SOAP の電文（multipart/related）を読めません（{reason}）。"
    en = "The SOAP message with attachments (multipart/related) cannot be read: {reason}."
    remedy_ja = "最初の部分に Envelope を置き、添付の Content-ID を1つずつ別にしてください。"
    remedy_en = "Put the envelope into the first part, and give every part a Content-ID of its own."


class SignatureUnfit(SoapFailed):
    """The WS-Security signature does not prove what the message says."""

    code = "soap.signature_refused"
    status = 401
    ja = "WS-Security の署名を確かめられません（{reason}）。"
    en = "The WS-Security signature proves nothing: {reason}."
    remedy_ja = "登録した証明書で、Body と Timestamp を RSA か ECDSA の SHA-256 以上で署名して"
    remedy_ja += "ください。証明書の登録: kumobashi call certificate SYSTEM FILE"
    remedy_en = "Sign Body and Timestamp by the registered certificate with RSA or ECDSA and"
    remedy_en += " SHA-256 or better. To register one: kumobashi call certificate SYSTEM FILE"


class AttachmentUnsigned(SoapFailed):
    """A message that is proven by its signature has attachments, which it does not cover."""

    code = "soap.attachment_unsigned"
    status = 401
    ja = "WS-Security の署名は添付を守りません。添付は受け取りませんでした。"
    en = "The WS-Security signature does not cover the attachments; they were not taken."
    remedy_ja = "添付を送るときは、署名の代わりに合言葉（Authorization）を使ってください。"
    remedy_en = "To send attachments show the system's token (Authorization) instead."


class AnswerNotSoap(SoapFailed):
    """What the service answered is no SOAP message that may be given on."""

    code = "soap.answer_unreadable"
    side = Side.ANSWERER
    status = 502
    ja = "回答した業務システムの電文は、SOAP として読めません（{reason}）。渡しませんでした。"
    en = "The answer of the system is no SOAP message ({reason}); it was not given on."
    remedy_ja = "回答する側の業務システムの担当に、この符号を伝えてください。"
    remedy_en = "Tell those who run the answering system this code."
    retryable = False


class DescriptionUnknown(SoapFailed):
    """There is no WSDL document that this site may show at that address."""

    code = "soap.description_unknown"
    status = 404
    ja = "この宛先の WSDL はありません。"
    en = "There is no WSDL at this address."
    remedy_ja = "オンライン連携があり、サービスに WSDL の文書があるかを確かめてください。"
    remedy_en = "See that an online link names the service, and the service a WSDL document."


class CertificateUnfit(SoapFailed):
    """A file is no certificate by which a system can prove itself."""

    code = "soap.certificate_unfit"
    ja = "{file} は登録できません（{reason}）。"
    en = "{file} cannot be registered: {reason}."
    remedy_ja = "業務システムが署名に使う証明書（秘密鍵ではなく）を、PEM で1枚だけ置いてください。"
    remedy_en = "Give the certificate the system signs with, not its key: one, as PEM."
