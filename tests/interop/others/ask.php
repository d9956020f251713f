<?php
// PHP's own SoapClient, as a business system would use it: description, token, SOAP version, year.
[$_, $wsdl, $token, $version, $year] = $argv;
ini_set('soap.wsdl_cache_enabled', '0');
$header = "Kumobashi-System: arrears\r\nAuthorization: Bearer $token";
try {
    $client = new SoapClient($wsdl, [
        'soap_version' => $version === '1.2' ? SOAP_1_2 : SOAP_1_1,
        'stream_context' => stream_context_create(['http' => ['header' => $header]]),
        'trace' => true,
    ]);
    $answer = $client->listPayments(['fiscalYear' => $year]);
    echo json_encode(['amounts' => $answer->amount, 'functions' => $client->__getFunctions()]);
} catch (SoapFault $fault) {
    echo json_encode([
        'fault' => $fault->faultstring,
        'code' => $fault->faultcode,
        'detail' => $fault->detail ?? null,
    ]);
}
